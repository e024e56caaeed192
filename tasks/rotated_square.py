"""The square that tells decoders of sets from decoders of lists (the responsibility problem).

Where it comes from: Zhang, Hare, Prügel-Bennett 2019 (section 1) and 2020 (FSPool) describe the problem with a rotating
polygon. Here the input names the *set*: a quarter turn gives equal sets and so equal inputs.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from torch import Tensor

from setbench.sets import PredictedSets, SetBatch
from setbench.tasks.interfaces import DataIdentity, Metric, Predict, Split, Task
from setbench.tasks.losses import hungarian
from setbench.tasks.metrics import hungarian_distance

QUARTER = math.pi / 2
ALL = {"train": 10_000, "validation": 1_000, "test": 10_000}
"""Examples where the settings ask for all (0)."""

SPOTS = 5
"""Places looked at more closely: the five of greatest error, and the five where the answer jumps farthest."""

CLOSER = 201
"""Angles in each such place."""

CURVE = 720
"""Points of the figure of error against angle."""


class RotatedSquare(Task[PredictedSets, SetBatch]):
    """From (cos 4a, sin 4a) give the corners (cos, sin)(a + 0°, 90°, 180°, 270°), in any order.

    The map from inputs to sets is continuous, but no continuous map gives the corners as a *list*: following the list
    through a quarter turn ends with the corners exchanged. So a decoder that lists must jump, or blur, somewhere.

    Training and validation angles are uniform; the test angles are evenly spaced over the quarter turn, and the worst
    error is looked for more closely between them (:meth:`closer`). Errors are in half-diagonals (corners lie on the
    unit circle): the mean distance of the corners to their predictions under the best matching.
    """

    all_sizes: Mapping[str, int] = ALL
    metrics: Mapping[str, Metric] = {
        "mean_error": Metric("half-diagonals", False, "how far a corner is off, mean over all angles"),
        "worst_error": Metric("half-diagonals", False, "how far the corners are off at the worst angle"),
    }

    @property
    def identity(self) -> DataIdentity:
        return DataIdentity("rotated square", "sampled", "v1 " + "/".join(str(size) for size in self.sizes.values()))

    def split(self, name: str) -> Split[SetBatch]:
        size = self.sizes[name]
        if name == "test":
            return square(QUARTER * torch.arange(size, dtype=torch.float64) / size)
        generator = torch.Generator().manual_seed(list(ALL).index(name))
        return square(QUARTER * torch.rand(size, dtype=torch.float64, generator=generator))

    def loss(self, prediction: PredictedSets, target: SetBatch) -> Tensor:
        return hungarian(prediction, target)

    def evaluate(
        self, prediction: PredictedSets, split: Split[SetBatch], predict: Predict[PredictedSets] | None = None
    ) -> dict[str, float]:
        """Mean and worst error; the angles of :meth:`closer`, predicted besides, count for the worst alone."""
        errors = _errors(prediction, split)
        worst = errors.max()
        if predict is not None:
            closer = self.closer(prediction, split)
            worst = torch.maximum(worst, _errors(predict(closer), closer).max())
        return {"mean_error": errors.mean().item(), "worst_error": worst.item()}

    def item_scores(self, prediction: PredictedSets, split: Split[SetBatch]) -> dict[str, Tensor]:
        return {"mean_error": _errors(prediction, split).float()}

    def closer(self, prediction: PredictedSets, split: Split[SetBatch]) -> Split[SetBatch]:
        """More angles, where the error is greatest and where the predicted list moves farthest between neighbours: a
        decoder may pass from one order of the corners to the next in a gap that the test angles step over."""
        spacing = QUARTER / len(split)
        angles = spacing * torch.arange(len(split), dtype=torch.float64)
        worst = angles[_errors(prediction, split).topk(min(SPOTS, len(split))).indices]
        moved = (prediction.elements.roll(-1, dims=0) - prediction.elements).flatten(1).norm(dim=1)
        jumps = angles[moved.topk(min(SPOTS, len(split))).indices] + spacing / 2
        around = spacing * torch.linspace(-1, 1, CLOSER, dtype=torch.float64)
        return square((torch.cat([worst, jumps])[:, None] + around).flatten() % QUARTER)

    def curve(self, prediction: PredictedSets, split: Split[SetBatch]) -> dict[str, list[float]]:
        """For a figure: angles in degrees, and the error there; of many test angles the worst of each stretch."""
        errors = _errors(prediction, split)
        angles = 90 * torch.arange(len(split), dtype=torch.float64) / len(split)
        stretches = torch.arange(len(split)).split(-(-len(split) // CURVE))
        worst = torch.stack([stretch[errors[stretch].argmax()] for stretch in stretches])
        return {"angle": angles[worst].tolist(), "error": errors[worst].tolist()}

    def constants(self, train: Split[SetBatch]) -> dict[str, PredictedSets]:
        """Squares at the middle angle, drawn in towards the centre: as far as is best for the mean, or the worst."""
        turns = torch.linspace(-QUARTER / 2, QUARTER / 2, 2001, dtype=torch.float64)
        radii = torch.linspace(0, 1, 1001, dtype=torch.float64)[:, None]
        errors = (1 + radii**2 - 2 * radii * turns.cos()).sqrt()
        corners = _corners(torch.tensor([QUARTER / 2], dtype=torch.float64)).float()
        return {
            name: PredictedSets(corners * radii[least.argmin()].float(), torch.ones(1, 4))
            for name, least in (
                ("square, best on average", errors.mean(dim=1)),
                ("square, best at worst", errors.amax(dim=1)),
            )
        }


def square(angles: Tensor) -> Split[SetBatch]:
    """Inputs and targets at ``angles`` (radians)."""
    corners = _corners(angles).float()
    inputs = torch.stack([(4 * angles).cos(), (4 * angles).sin()], dim=-1).float()
    return Split(inputs, SetBatch(corners, torch.ones(corners.shape[:2], dtype=torch.bool)))


def _corners(angles: Tensor) -> Tensor:
    turned = angles[:, None] + QUARTER * torch.arange(4)
    return torch.stack([turned.cos(), turned.sin()], dim=-1)


def _errors(prediction: PredictedSets, split: Split[SetBatch]) -> Tensor:
    return hungarian_distance(prediction.elements.double(), split.targets.elements.double())
