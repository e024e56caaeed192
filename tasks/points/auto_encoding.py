"""A set of points in, the same set out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import torch
from torch import Tensor
from torch.nn.functional import pad

from setbench.sets import PredictedSets, SetBatch
from setbench.tasks.coordinates import published_sets, published_truth
from setbench.tasks.interfaces import Metric, Predict, Split
from setbench.tasks.losses import chamfer_padded
from setbench.tasks.metrics import chamfer_distance, ospa_distance, size_error
from setbench.tasks.points.digit_sets import SIDE, DigitSets

PIXELS = SIDE - 1
"""Pixels from one edge of the picture to the other; coordinates run from 0 to 1."""

EMPTY = 2**0.5
"""Chamfer distance of an empty prediction: the picture's diagonal, as if every point were in the wrong corner."""


FEW = 64
"""Points of one constant answer; another has as many as there are slots."""

STEPS, BATCH = 80, 8
"""Of Adam, for each constant answer."""


CUT = 5.0
"""Pixels that a point too many, too few or too far counts under the best matching."""

MATCHED = 500
"""Sets that are matched for a figure: hundreds of points take milliseconds a set."""


class AutoEncoding(DigitSets[PredictedSets, SetBatch]):
    """Trained with the papers' Chamfer loss; measured on real elements alone, in pixels.

    A predicted slot counts as a point where its presence is above 1/2. A prediction without points is as far off as the
    picture's diagonal, 38.2 pixels.
    """

    metrics: Mapping[str, Metric] = {
        "chamfer": Metric(
            "pixels",
            False,
            "distance to the nearest point, mean of both directions, predicted to true and true to predicted",
        ),
        "ospa": Metric(
            "pixels",
            False,
            f"mean distance under the best one-to-one matching, a point too many or too few counting {CUT:g}; of the "
            f"first {MATCHED} sets",
        ),
        "chamfer_padded": Metric(
            "x 1000", False, "the papers' Chamfer loss: Huber, padding and presence included, both directions added"
        ),
        "size_error": Metric("points", False, "points too many or too few"),
    }

    def split(self, name: str) -> Split[SetBatch]:
        sets, _ = self.sets(name)
        return Split(sets, sets)

    def loss(self, prediction: PredictedSets, target: SetBatch) -> Tensor:
        return chamfer_padded(published_sets(prediction, self.options), published_truth(target, self.options))

    def evaluate(
        self, prediction: PredictedSets, split: Split[SetBatch], predict: Predict[PredictedSets] | None = None
    ) -> dict[str, float]:
        guesses, true = published_sets(prediction, self.options), published_truth(split.targets, self.options)
        padded = [
            chamfer_padded(PredictedSets(*guess), SetBatch(*target)) * len(guess[0])
            for guess, target in zip(_parts(guesses), _parts(true), strict=True)
        ]
        return {
            "chamfer": PIXELS * chamfer_distance(guesses, true, EMPTY).mean().item(),
            "ospa": self._ospa(prediction, split).mean().item(),
            "chamfer_padded": 1000 * torch.stack(padded).sum().item() / len(split),
            "size_error": size_error(guesses, true).mean().item(),
        }

    def item_scores(self, prediction: PredictedSets, split: Split[SetBatch]) -> dict[str, Tensor]:
        """Of the first 500 sets, as the metric."""
        return {"ospa": self._ospa(prediction, split).float()}

    def _ospa(self, prediction: PredictedSets, split: Split[SetBatch]) -> Tensor:
        guesses = published_sets(PredictedSets(*(part[:MATCHED] for part in prediction)), self.options)
        true = published_truth(SetBatch(*(part[:MATCHED] for part in split.targets)), self.options)
        return PIXELS * ospa_distance(guesses, true, CUT / PIXELS)

    def constants(self, train: Split[SetBatch]) -> dict[str, PredictedSets]:
        """Sets of few and of many points fitted to the distance in pixels, and one fitted to the papers' loss."""
        sets = train.targets
        answers = {}
        for size in sorted({min(FEW, self.max_size), self.max_size}):
            start = PredictedSets(_random_points(sets, size), torch.ones(1, size))
            answers[f"{size} points"] = _padded(_fitted(start, sets, self._distance), self.max_size)
        answers["papers' loss"] = _fitted(next(iter(answers.values())), sets, self.loss)
        return answers

    def _distance(self, prediction: PredictedSets, target: SetBatch) -> Tensor:
        guesses, true = published_sets(prediction, self.options), published_truth(target, self.options)
        return chamfer_distance(guesses, true, EMPTY).mean()


def _random_points(sets: SetBatch, size: int) -> Tensor:
    points = sets.elements[:2000][sets.mask[:2000]]
    return points[torch.randint(len(points), (1, size), generator=torch.Generator().manual_seed(0))]


def _fitted(start: PredictedSets, sets: SetBatch, loss: Callable[[PredictedSets, SetBatch], Tensor]) -> PredictedSets:
    """The one set that ``start`` becomes when it is brought down the loss against random sets."""
    generator = torch.Generator().manual_seed(0)
    elements, presence = (part.clone().requires_grad_() for part in start)
    optimizer = torch.optim.Adam([elements, presence])
    for step in range(STEPS):
        chosen = torch.randint(len(sets.mask), (BATCH,), generator=generator)
        target = SetBatch(sets.elements[chosen], sets.mask[chosen])
        optimizer.param_groups[0]["lr"] = 0.02 * (1 - step / STEPS)
        optimizer.zero_grad()
        loss(PredictedSets(elements.expand(BATCH, -1, -1), presence.expand(BATCH, -1)), target).backward()
        optimizer.step()
    return PredictedSets(elements.detach(), presence.detach())


def _padded(sets: PredictedSets, size: int) -> PredictedSets:
    missing = size - sets.elements.shape[1]
    return PredictedSets(pad(sets.elements, (0, 0, 0, missing)), pad(sets.presence, (0, missing)))


def _parts(sets: PredictedSets | SetBatch, size: int = 256) -> Iterator[tuple[Tensor, Tensor]]:
    return zip(sets[0].split(size), sets[1].split(size), strict=True)
