"""Arithmetic on sets of integers (Murphy, Srinivasan, Rao, Ribeiro 2019, "Janossy pooling", section 4.1).

An integer stands for itself through a fixed random vector, so that its value must be learned, not read off: the paper's
frozen embedding, uniform in (-0.5, 0.5), here of 100 numbers for every model. Where we differ: the paper shortens it to
50 and 33 numbers for tuples of two and three, to keep parameters alike; and it sorts the integers before it forms
tuples, which only sets of integers allow.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from jaxtyping import Float, Int
from torch import Tensor

from setbench.sets import SetBatch
from setbench.specs import SetSpec
from setbench.tasks.entry import Options, TaskEntry
from setbench.tasks.interfaces import DataIdentity, Metric, Predict, Split, Task, shuffle

ALL = {"train": 100_000, "validation": 10_000, "test": 10_000}
"""Examples where the settings ask for all (0): the paper's."""

_VECTORS = 100  # of the embedding, whatever integers a task draws

_ACCURACY = Metric("%", True, "answers that are exact after rounding to the nearest integer")
_MAE = Metric("", False, "mean absolute error, in units of the answer")
_RMSE = Metric("", False, "root of the mean squared error, in units of the answer")


@dataclass(frozen=True)
class Integers(Split[Tensor]):
    """A split whose ``inputs`` are ``int64[examples, size]``; batches hold their vectors.

    100,000 sets of ten would be 400 MB as vectors, and are 8 MB as integers.
    """

    table: Float[Tensor, "integers features"]

    def batch(self, indices: Tensor, generator: torch.Generator | None = None) -> Split[Tensor]:
        assert isinstance(self.inputs, Tensor)
        elements = self.table[self.inputs[indices]]
        sets = SetBatch(elements, torch.ones(elements.shape[:2], dtype=torch.bool))
        return Split(sets if generator is None else shuffle(*sets, generator), self.targets[indices])


class Arithmetic(Task[Tensor, Tensor]):
    """One number from so many integers of 0 to ``most``, drawn with replacement, each as likely.

    Predictions are in standard units, so that a head that starts near 0 starts near the mean: the answer to a
    prediction is ``mean + spread * prediction`` (:meth:`answer`). Trained with the paper's loss, the mean absolute
    error, in the same units. Metrics are in units of the answer.
    """

    all_sizes: Mapping[str, int] = ALL
    metrics: Mapping[str, Metric] = {"accuracy": _ACCURACY, "mae": _MAE, "rmse": _RMSE}

    most: int
    mean: float
    spread: float

    def __init__(
        self, entry: TaskEntry, options: Options, sizes: Mapping[str, int], cache: Path, data: Path | None
    ) -> None:
        super().__init__(entry, options, sizes, cache, data)
        spec = entry.input_spec(options)
        assert isinstance(spec, SetSpec)
        self.size, self.features = spec.max_size, spec.features

    @staticmethod
    @abstractmethod
    def of(integers: Int[Tensor, "batch size"]) -> Tensor:
        """The right answers."""

    @property
    def identity(self) -> DataIdentity:
        name = f"{self.size} integers of 0 to {self.most}"
        return DataIdentity(name, "sampled", "v1 " + "/".join(str(size) for size in self.sizes.values()))

    def split(self, name: str) -> Integers:
        generator = torch.Generator().manual_seed(list(ALL).index(name))
        integers = torch.randint(self.most + 1, (self.sizes[name], self.size), generator=generator)
        table = torch.rand(_VECTORS, self.features, generator=torch.Generator().manual_seed(0)) - 0.5
        return Integers(integers, self.of(integers).float(), table)

    def answer(self, prediction: Float[Tensor, " batch"]) -> Float[Tensor, " batch"]:
        """A prediction in units of the answer."""
        return self.mean + self.spread * prediction

    def loss(self, prediction: Tensor, target: Tensor) -> Tensor:
        return (prediction - (target - self.mean) / self.spread).abs().mean()

    def evaluate(
        self, prediction: Tensor, split: Split[Tensor], predict: Predict[Tensor] | None = None
    ) -> dict[str, float]:
        scores = self._scores(prediction, split)
        found = {
            "accuracy": 100 * scores["accuracy"].double().mean().item(),
            "mae": scores["mae"].mean().item(),
            "rmse": scores["squared_error"].mean().sqrt().item(),
        }
        return {name: found[name] for name in self.metrics}

    def item_scores(self, prediction: Tensor, split: Split[Tensor]) -> dict[str, Tensor]:
        """Right or wrong; where the headline is the root of a mean, the ``squared_error`` that it is of."""
        scores = self._scores(prediction, split)
        if self.headline == "rmse":
            return {"squared_error": scores["squared_error"].float()}
        return {"accuracy": scores["accuracy"]}

    def _scores(self, prediction: Tensor, split: Split[Tensor]) -> dict[str, Tensor]:
        answers, right = self.answer(prediction.double()), split.targets.double()
        errors = answers - right
        return {"accuracy": answers.round() == right, "mae": errors.abs(), "squared_error": errors.square()}

    def constants(self, train: Split[Tensor]) -> dict[str, Tensor]:
        """The best constants for the three metrics: mode, median and mean of the training answers."""
        right = train.targets.double()
        best = {"mode": right.mode().values, "median": right.median(), "mean": right.mean()}
        return {name: ((value - self.mean) / self.spread).float()[None] for name, value in best.items()}


class Sum(Arithmetic):
    """The sum."""

    most = 99
    mean, spread = 247.5, 64.5

    @staticmethod
    def of(integers: Int[Tensor, "batch size"]) -> Tensor:
        return integers.sum(dim=1)


class Range(Arithmetic):
    """The largest less the smallest."""

    most = 99
    mean, spread = 66.6, 17.8

    @staticmethod
    def of(integers: Int[Tensor, "batch size"]) -> Tensor:
        return integers.amax(dim=1) - integers.amin(dim=1)


class UniqueSum(Arithmetic):
    """The sum of the different ones."""

    most = 9
    mean, spread = 29.3, 7.0

    @staticmethod
    def of(integers: Int[Tensor, "batch size"]) -> Tensor:
        return _present(integers) @ torch.arange(10)


class UniqueCount(Arithmetic):
    """How many different ones."""

    most = 9
    mean, spread = 6.5, 1.0

    @staticmethod
    def of(integers: Int[Tensor, "batch size"]) -> Tensor:
        return _present(integers).sum(dim=1)


class Variance(Arithmetic):
    """The variance, divided by n. Not an integer, so without accuracy."""

    most = 99
    mean, spread = 750.0, 240.0
    metrics: Mapping[str, Metric] = {"rmse": _RMSE, "mae": _MAE}

    @staticmethod
    def of(integers: Int[Tensor, "batch size"]) -> Tensor:
        return integers.double().var(dim=1, unbiased=False)


def _present(integers: Int[Tensor, "batch size"]) -> Int[Tensor, "batch 10"]:
    """Which of the digits 0 to 9 each set holds, as 0 or 1."""
    return torch.zeros(len(integers), 10, dtype=torch.long).scatter_(1, integers, 1)
