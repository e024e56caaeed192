"""What a task is: its data, its loss and its metrics. What goes in and out stands in its catalogue entry.

Nothing here knows of architectures. Sets come as :class:`setbench.sets.SetBatch` and are predicted as
:class:`setbench.sets.PredictedSets`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, Literal, TypeVar

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from setbench.sets import PredictedSets, SetBatch
from setbench.specs import ImageSpec, InputSpec, OutputSpec
from setbench.tasks.entry import Options, TaskEntry
from setbench.tasks.no_data import NoData

__all__ = [
    "DataIdentity",
    "Metric",
    "NoData",
    "Predict",
    "Progress",
    "Split",
    "Task",
    "fresh_order",
    "mean_score",
    "reordered",
    "shuffle",
]

Progress = Callable[[str, int, int], None]
"""Called as ``progress("rendering scenes", done, total)`` while data are prepared."""

T = TypeVar("T", bound=Tensor | SetBatch)
"""Targets: sets, labels int64[batch] or numbers float[batch]."""

P = TypeVar("P", bound=Tensor | PredictedSets)
"""Predictions: sets, logits float[batch, classes] or numbers float[batch]."""

Predict = Callable[["Split[Any]"], P]
"""Gives the predictions for all inputs of a split, in order."""


@dataclass(frozen=True)
class Metric:
    """How to read one number: its unit, which way is better, and a sentence on what it measures."""

    unit: str
    higher_is_better: bool
    meaning: str


@dataclass(frozen=True)
class DataIdentity:
    """Which data these are, so that no two kinds are ever taken for one another.

    ``kind`` is "real", "rendered", "rendered to real" (trained on the one, tested on the other), "embedded" (shipped in
    a library) or "sampled" (drawn from a formula).
    """

    name: str
    kind: Literal["real", "rendered", "rendered to real", "embedded", "sampled"]
    checksum: str


@dataclass(frozen=True)
class Split(Generic[T]):
    """Inputs and targets of one split, in memory or memory-mapped."""

    inputs: Tensor | SetBatch
    targets: T

    def __len__(self) -> int:
        return len(self.targets.mask if isinstance(self.targets, SetBatch) else self.targets)

    def batch(self, indices: Tensor, generator: torch.Generator | None = None) -> Split[T]:
        """The examples at ``indices``; with a generator the elements of every set come in a fresh random order.

        Where input and target are the same sets (auto-encoding) they stay the same object.
        """
        inputs = _take(self.inputs, indices, generator)
        same: Any = inputs
        return Split(inputs, same if self.targets is self.inputs else _take(self.targets, indices, None))

    def batches(self, size: int) -> Iterator[Split[T]]:
        """The whole split in its own order, ``size`` examples at a time (the last may be smaller)."""
        for start in range(0, len(self), size):
            yield self.batch(torch.arange(start, min(start + size, len(self))))


def _take(values: Any, indices: Tensor, generator: torch.Generator | None) -> Any:
    if not isinstance(values, SetBatch):
        return values[indices]
    elements, mask = values.elements[indices], values.mask[indices]
    return SetBatch(elements, mask) if generator is None else shuffle(elements, mask, generator)


def shuffle(
    elements: Float[Tensor, "batch size features"], mask: Bool[Tensor, "batch size"], generator: torch.Generator
) -> SetBatch:
    """The same sets with the real elements of each in a fresh random order, padding last."""
    return reordered(SetBatch(elements, mask), fresh_order(mask, generator))


def fresh_order(mask: Bool[Tensor, "batch size"], generator: torch.Generator) -> Int[Tensor, "batch size"]:
    """For each set a random order of its real elements, those of padding last; mask and generator are the CPU's."""
    return torch.rand(mask.shape, generator=generator).masked_fill_(~mask, 1).argsort(dim=1)


def reordered(sets: SetBatch, order: Int[Tensor, "batch size"]) -> SetBatch:
    """The same sets with the elements of each in another order."""
    return SetBatch(sets.elements.take_along_dim(order[..., None], dim=1), sets.mask.take_along_dim(order, dim=1))


class Task(ABC, Generic[P, T]):
    """One problem: what its :class:`setbench.tasks.entry.TaskEntry` declares, and here its data, loss and metrics.

    Made by ``entry.make(options, sizes, cache, data)``. Construction is cheap and touches no data. ``prepare`` does
    whatever is slow (download, render) once and leaves it in ``cache``; ``split`` then only loads. Splits: "train",
    "validation" (for tuning; never reported), "test".

    Args:
        entry: what the catalogue says of this task.
        options: all of them, checked.
        sizes: examples wanted of each split; a split of real data is cut to its first so many, 0 means all of it.
        cache: folder for prepared data; shared by processes, written atomically.
        data: the user's folder of real data (``mnist/``, CLEVR in its released layout), or None.
    """

    metrics: Mapping[str, Metric]
    all_sizes: Mapping[str, int] = {}
    """Examples of each split where all (0) are asked for; empty where the data themselves say."""

    def __init__(
        self, entry: TaskEntry, options: Options, sizes: Mapping[str, int], cache: Path, data: Path | None
    ) -> None:
        self.entry, self.options, self.cache, self.data = entry, options, cache, data
        every = {name: sizes.get(name) or most for name, most in self.all_sizes.items()}
        self.sizes = every or dict(sizes)

    @property
    def input(self) -> InputSpec:
        """What goes in."""
        return self.entry.input_spec(self.options)

    @property
    def output(self) -> OutputSpec:
        """What comes out."""
        return self.entry.output_spec(self.options)

    @property
    def headline(self) -> str:
        """The metric that ranks models."""
        return self.entry.headline

    @property
    def notes(self) -> list[str]:
        """What a reader of the results should know of these data, a short phrase each."""
        return []

    @property
    @abstractmethod
    def identity(self) -> DataIdentity:
        """Which data these are; the same for two runs exactly when the examples are the same."""

    def prepare(self, progress: Progress) -> None:
        """Fetch or make the data, once. Raises :class:`NoData` with how to get them."""

    @abstractmethod
    def split(self, name: str) -> Split[T]:
        """Load "train", "validation" or "test". Deterministic: the same examples in every process."""

    def pictures(self, name: str) -> Tensor | None:
        """What people look at beside the predictions of a split, uint8[examples, channels, height, width]: the inputs,
        where they are pictures; None where there is nothing to look at."""
        if not isinstance(self.input, ImageSpec):
            return None
        inputs = self.split(name).inputs
        assert isinstance(inputs, Tensor)
        return inputs

    def independent_items(self, name: str) -> int:
        """How many independent things the examples of a split come from: what a confidence interval must count.

        All examples, unless several are made of the same one (many drawings of one handwritten digit).
        """
        return self.sizes[name] if self.all_sizes else len(self.split(name))

    @abstractmethod
    def loss(self, prediction: P, target: T) -> Tensor:
        """The training loss of a batch, a scalar: the mean of its examples' own losses."""

    @abstractmethod
    def evaluate(self, prediction: P, split: Split[T], predict: Predict[P] | None = None) -> dict[str, float]:
        """Every metric of ``metrics`` on one whole split.

        Args:
            prediction: for all its examples, in order.
            split: what was predicted.
            predict: gives predictions for further inputs, where a task wants more (angles between those of the split);
                None where nobody can be asked, and the split has to do.
        """

    def item_scores(self, prediction: P, split: Split[T]) -> dict[str, Tensor]:
        """One number an example for the headline metric, or its parts, for intervals and paired comparisons.

        Under the name of a metric stand values whose :func:`mean_score` is that metric: bool[examples] for a percentage
        of right answers, else float32[examples], NaN where an example has none. Under other names stand parts of a
        metric that is no such mean. A metric of the split's first examples alone has values of those alone.
        """
        return {}

    def curve(self, prediction: P, split: Split[T]) -> dict[str, list[float]]:
        """Columns of numbers that a figure of this task shows beside the metrics; none by default."""
        return {}

    @abstractmethod
    def constants(self, train: Split[T]) -> dict[str, P]:
        """Candidates for the best answer that looks at no input, each a prediction for ONE example (batch of 1).

        The harness scores them all on the reported split and takes, metric by metric, the best: the floor. So the
        floor's metrics may be those of different candidates.
        """


def mean_score(values: Tensor) -> float:
    """The metric that item scores are of: the percentage of True, or the mean of those that are numbers."""
    if values.dtype == torch.bool:
        return 100 * values.double().mean().item()
    return values.double().nanmean().item()
