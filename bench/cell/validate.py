"""How good a model is while it trains: the headline metric on a part of the validation split, now and then."""

from __future__ import annotations

import math

import torch

from setbench.bench.cell.evaluate import headline_variant, predict_one, spread_out
from setbench.bench.cell.train import Diverged
from setbench.bench.plan.presets import Settings
from setbench.bench.records.record import Precision
from setbench.models.interfaces import Predictor
from setbench.tasks.interfaces import Task

POINTS = 10
STEPS_A_POINT = 20
SHARE = 0.15
"""Examples predicted, in all, as a share of those trained on. A training step passes forward and back, and once more
for the update, so predicting a seventh of its examples stays under a tenth of its time."""


def validation_steps(steps: int) -> list[int]:
    """At which steps (counted from 1) to validate: about ten, evenly spread in the logarithm of the step, the last
    among them; fewer in a short training."""
    count = max(1, min(POINTS, steps // STEPS_A_POINT))
    first = max(1, steps // 100)
    ratio = (steps / first) ** (1 / max(count - 1, 1))
    return sorted({min(steps, round(first * ratio**place)) for place in range(count) if count > 1} | {steps})


class Validator:
    """Scores a predictor as for the headline, and leaves its random numbers and its mode as they were.

    The examples and their number follow from the settings alone, never from how fast the machine is.
    """

    def __init__(
        self,
        predictor: Predictor,
        task: Task,
        settings: Settings,
        device: torch.device,
        precision: Precision = "float32",
    ) -> None:
        self.predictor, self.task, self.device, self.precision = predictor, task, device, precision
        self.variant = headline_variant(predictor)[0]
        self.steps = set(validation_steps(settings.steps))
        split = task.split("validation")
        wanted = math.ceil(SHARE * settings.steps * settings.batch / len(self.steps))
        self.split = split.batch(spread_out(wanted, len(split)))

    def score(self) -> float | None:
        """The headline metric; None where a prediction is not finite."""
        training = self.predictor.training
        devices = [self.device] if self.device.type == "cuda" else []
        with torch.random.fork_rng(devices):
            self.predictor.eval()
            try:
                prediction = predict_one(self.predictor, self.device, self.precision, self.variant, self.split)
            except Diverged:
                return None
            finally:
                self.predictor.train(training)
        return self.task.evaluate(prediction, self.split, None)[self.task.headline]
