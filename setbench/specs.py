"""What goes into a model and what comes out, in types that tasks, models and the harness share. Imports no torch."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class VectorSpec:
    """A plain vector of ``size`` numbers: ``float[batch, size]``."""

    size: int


@dataclass(frozen=True)
class ImageSpec:
    """Pictures, ``uint8[batch, channels, height, width]``; models see them as float in [0, 1]."""

    channels: int
    height: int
    width: int


@dataclass(frozen=True)
class SetSpec:
    """Sets of at most ``max_size`` elements of ``features`` numbers; ``positions`` says which features are coordinates
    (None where there are none).

    A batch is ``elements: float[batch, size, features]`` with ``mask: bool[batch, size]``, True where one is real.
    """

    features: int
    max_size: int
    positions: slice | None = None

    def with_presence(self) -> SetSpec:
        """The spec of ``cat([elements, presence])``, as DSPN and the auto-encoders feed it to their encoder."""
        return SetSpec(self.features + 1, self.max_size, self.positions)


@dataclass(frozen=True)
class LabelSpec:
    """One of ``classes`` classes; targets are ``int64[batch]``, predictions logits ``float[batch, classes]``."""

    classes: int


@dataclass(frozen=True)
class NumberSpec:
    """One real number; targets and predictions are ``float[batch]``."""


InputSpec = VectorSpec | ImageSpec | SetSpec
OutputSpec = SetSpec | LabelSpec | NumberSpec
