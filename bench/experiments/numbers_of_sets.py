"""Problems that are sampled: sets are drawn, each has one number, and an encoder with a head is to learn it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from jaxtyping import Float
from torch import Tensor

from setbench.bench.cell.evaluate import headline_variant
from setbench.bench.experiments.study import Run, scaled
from setbench.bench.experiments.training import VALIDATION, learn
from setbench.models.build import build_predictor
from setbench.models.catalogue import parse
from setbench.models.predictors import Readout
from setbench.sets import SetBatch
from setbench.specs import NumberSpec, SetSpec

LATENT = WIDTH = 64
BATCH, EXAMPLES, AT_ONCE = 64, 2_000, 20


@dataclass(frozen=True)
class Problem:
    """``draw(count, generator)`` gives sets of ``spec``, ``label`` the number of each, ``float[batch]``."""

    spec: SetSpec
    draw: Callable[[int, torch.Generator], SetBatch]
    label: Callable[[SetBatch], Float[Tensor, " batch"]]

    def examples(self, count: int, seed: int) -> tuple[SetBatch, Float[Tensor, " batch"]]:
        """The same for all models."""
        sets = self.draw(count, torch.Generator().manual_seed(seed))
        return sets, self.label(sets)


@dataclass(frozen=True)
class Learned:
    """A trained predictor, and the mean squared error on the validation sets, over their variance. Labels are
    ``centre + unit * prediction``."""

    predictor: Readout
    centre: float
    unit: float
    validation: float

    def answers(self, sets: SetBatch) -> Float[Tensor, " batch"]:
        """For sets of any size that the encoder can read."""
        _, budget = headline_variant(self.predictor)
        parts = zip(sets.elements.split(AT_ONCE), sets.mask.split(AT_ONCE), strict=True)
        with torch.no_grad():
            return self.centre + self.unit * torch.cat([self.predictor(SetBatch(*part), budget) for part in parts])

    def of_codes(self, codes: Float[Tensor, "batch latent"]) -> Float[Tensor, " batch"]:
        """The answers to codes."""
        with torch.no_grad():
            return self.centre + self.unit * self.predictor.head(codes).squeeze(1)


def learn_number(problem: Problem, encoder: str, head: str, run: Run) -> Learned:
    """Train a row of the catalogue on fresh sets at every step, with the squared error in standard units.

    Raises:
        Diverged: the loss is no finite number.
    """
    sets, labels = problem.examples(scaled(EXAMPLES, run.scale), VALIDATION)
    centre, unit = labels.mean().item(), labels.std(correction=0).item()
    torch.manual_seed(run.seed)
    model = parse(encoder, ("encoder",))
    predictor = build_predictor(problem.spec, NumberSpec(), encoder=model, latent=LATENT, width=WIDTH, head=head)
    assert isinstance(predictor, Readout)

    def error(prediction: Tensor, target: Tensor) -> Tensor:
        return (prediction - (target - centre) / unit).square().mean()

    def loss(generator: torch.Generator) -> Tensor:
        drawn = problem.draw(BATCH, generator)
        return torch.stack(list(predictor.losses(drawn, problem.label(drawn), error).values())).sum()

    learn(predictor, loss, run)
    learned = Learned(predictor, centre, unit, 0.0)
    return replace(learned, validation=float((learned.answers(sets) - labels).square().mean()) / unit**2)
