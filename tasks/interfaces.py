"""What a task is: what goes in, what comes out, its data, its loss and its metrics.

Nothing here knows of architectures. A batch of sets is a pair of tensors
``(elements: float[batch, size, features], mask: bool[batch, size])``, the mask True where an element is real.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple

import torch
from torch import Tensor

Progress = Callable[[str, int, int], None]
"""Called as ``progress("rendering scenes", done, total)`` while data are prepared."""


class NoData(Exception):
    """The data are not here and could not be fetched; the message is one line that says how to get them."""


@dataclass(frozen=True)
class Vector:
    """A plain vector of ``size`` numbers."""

    size: int


@dataclass(frozen=True)
class Images:
    """Pictures, ``uint8[batch, channels, height, width]``; models see them as float in [0, 1]."""

    channels: int
    height: int
    width: int


@dataclass(frozen=True)
class Sets:
    """Sets of at most ``max_size`` elements of ``features`` numbers; ``positions`` says which are coordinates."""

    features: int
    max_size: int
    positions: slice | None = None


@dataclass(frozen=True)
class Label:
    """One of ``classes`` classes; targets are ``int64[batch]``, predictions logits ``float[batch, classes]``."""

    classes: int


@dataclass(frozen=True)
class Number:
    """One real number; targets and predictions are ``float[batch]``."""


class SetBatch(NamedTuple):
    """A batch of target or input sets. ``mask`` is True where an element is real; padding is zero."""

    elements: Tensor
    mask: Tensor


class SetGuess(NamedTuple):
    """A batch of predicted sets. ``presence`` is the raw score that a slot is real (0 to 1 when well trained)."""

    elements: Tensor
    presence: Tensor


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
class Split:
    """Inputs and targets of one split, in memory or memory-mapped; each is a tensor or a ``SetBatch``."""

    inputs: Any
    targets: Any

    def __len__(self) -> int:
        return len(self.targets[0] if isinstance(self.targets, tuple) else self.targets)

    def batch(self, indices: Tensor, generator: torch.Generator | None = None) -> Split:
        """The examples at ``indices``; with a generator the elements of every set come in a fresh random order.

        Where input and target are the same sets (auto-encoding) they stay the same object.
        """
        inputs = _take(self.inputs, indices, generator)
        if self.targets is self.inputs:
            return Split(inputs, inputs)
        return Split(inputs, _take(self.targets, indices, None))

    def batches(self, size: int) -> Iterator[Split]:
        """The whole split in its own order, ``size`` examples at a time (the last may be smaller)."""
        for start in range(0, len(self), size):
            yield self.batch(torch.arange(start, min(start + size, len(self))))


def _take(values: Any, indices: Tensor, generator: torch.Generator | None) -> Any:
    if not isinstance(values, tuple):
        return values[indices]
    elements, mask = values[0][indices], values[1][indices]
    return SetBatch(elements, mask) if generator is None else shuffle(elements, mask, generator)


def shuffle(elements: Tensor, mask: Tensor, generator: torch.Generator) -> SetBatch:
    """The same sets with the real elements of each in a fresh random order, padding last."""
    keys = torch.rand(mask.shape, generator=generator) + (~mask).float()
    order = keys.argsort(dim=1)
    return SetBatch(elements.take_along_dim(order[..., None], dim=1), mask.take_along_dim(order, dim=1))


class Task(ABC):
    """One problem. Subclasses set the class attributes and give data, loss and metrics.

    Construction is cheap and touches no data. ``prepare`` does whatever is slow (download, render) once and leaves
    it in ``cache``; ``split`` then only loads. Splits: "train", "validation" (for tuning; never reported), "test".

    Args:
        sizes: examples wanted of each split; a split of real data is cut to its first so many, 0 means all of it.
        cache: folder for prepared data; shared by processes, written atomically.
        data: the user's folder of real data (``mnist/``, CLEVR in its released layout), or None.
    """

    input: Vector | Images | Sets
    output: Sets | Label | Number
    metrics: Mapping[str, Metric]
    headline: str

    def __init__(self, sizes: Mapping[str, int], cache: Path, data: Path | None = None) -> None:
        self.sizes = dict(sizes)
        self.cache = Path(cache)
        self.data = None if data is None else Path(data)

    @property
    @abstractmethod
    def identity(self) -> DataIdentity:
        """Which data these are; the same for two runs exactly when the examples are the same."""

    def prepare(self, progress: Progress) -> None:
        """Fetch or make the data, once. Raises :class:`NoData` with how to get them."""

    @abstractmethod
    def split(self, name: str) -> Split:
        """Load "train", "validation" or "test". Deterministic: the same examples in every process."""

    @abstractmethod
    def loss(self, prediction: Any, target: Any) -> Tensor:
        """Scalar training loss. Sets: ``prediction`` is a pair (elements, presence), ``target`` a ``SetBatch``;
        labels: logits and int64; numbers: two ``float[batch]``."""

    @abstractmethod
    def evaluate(self, prediction: Any, split: Split, *further: Any) -> dict[str, float]:
        """Every metric of ``metrics`` on one whole split; ``prediction`` holds all its examples in order. ``further``
        is (prediction, split) of what ``refine`` asked for."""

    def refine(self, prediction: Any, split: Split) -> Split | None:
        """Further inputs that ``evaluate`` wants predicted (dense around the worst ones found, say); they come as its
        ``further``. None, the default, where it wants none."""
        return None

    def curve(self, prediction: Any, split: Split) -> dict[str, list[float]]:
        """Columns of numbers that a figure of this task shows beside the metrics; none by default."""
        return {}

    @abstractmethod
    def constants(self, train: Split) -> dict[str, Any]:
        """Candidates for the best answer that looks at no input, each a prediction for ONE example (batch of 1).

        The harness scores them all on the reported split and shows the best by the headline metric: the floor.
        """
