"""The contracts of the architectures. Nothing here knows of tasks or of the harness.

A batch of sets is ``elements: float[batch, size, features]`` with ``mask: bool[batch, size]``, True where an element
is real. Padding has no effect on any encoder: more of it never changes the result.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from jaxtyping import Bool, Float
from torch import Tensor, nn


@dataclass(frozen=True)
class SetSpec:
    """The sets that an architecture is built for.

    ``features`` numbers an element, at most ``max_size`` elements; ``positions`` says which features are coordinates
    (None where there are none).
    """

    features: int
    max_size: int
    positions: slice | None = None

    def with_presence(self) -> SetSpec:
        """The spec of ``cat([elements, presence])``, as DSPN and the auto-encoders feed it to their encoder."""
        return SetSpec(self.features + 1, self.max_size, self.positions)


class PredictedSets(NamedTuple):
    """A batch of predicted sets. ``presence`` is the raw score that a slot is real; nothing squashes it."""

    elements: Float[Tensor, "batch slots features"]
    presence: Float[Tensor, "batch slots"]


class SetEncoder(nn.Module, ABC):
    """A set in, one vector out. Built as ``Encoder(spec, latent, width, **options)``.

    Twice differentiable in ``elements``, since DSPN descends through its gradient. Sets of size 0 and 1 give finite
    values. ``random`` is True where ``forward`` draws random numbers (pi-SGD): predictors then average several draws.
    ``samples`` draws are averaged in one ``forward``; with ``frozen_seed`` set every ``forward`` draws the same.
    ``surrogate_gradient`` is True for straight-through estimators, whose gradient is meant not to be their own.
    """

    random: bool = False
    surrogate_gradient: bool = False
    samples: int = 1
    frozen_seed: int | None = None

    def __init__(self, spec: SetSpec, latent: int) -> None:
        super().__init__()
        self.spec = spec
        self.latent = latent

    @abstractmethod
    def forward(
        self, elements: Float[Tensor, "batch size features"], mask: Bool[Tensor, "batch size"]
    ) -> Float[Tensor, "batch latent"]: ...


class SetLayer(nn.Module, ABC):
    """A set in, a set of the same size out, equivariant: permuting the input permutes the output."""

    @abstractmethod
    def forward(
        self, elements: Float[Tensor, "batch size features"], mask: Bool[Tensor, "batch size"]
    ) -> Float[Tensor, "batch size out"]: ...


class SetDecoder(nn.Module, ABC):
    """One vector in, a set out. Built as ``Decoder(spec, latent, width, **options)``.

    ``forward`` returns every set that the decoder passes through; the last one is the answer. A plain decoder returns
    one. ``iterative`` decoders (DSPN) also take ``encoder=`` at construction: a ``SetEncoder`` built for
    ``spec.with_presence()``.
    """

    def __init__(self, spec: SetSpec, latent: int) -> None:
        super().__init__()
        self.spec = spec
        self.latent = latent

    @abstractmethod
    def forward(self, code: Float[Tensor, "batch latent"], **variant: Any) -> list[PredictedSets]: ...

    def in_loss(self, sets: list[PredictedSets]) -> list[PredictedSets]:
        """Those of the sets whose loss is averaged in training; by default the answer alone."""
        return sets[-1:]

    def extra_losses(self, code: Tensor, target: tuple[Tensor, Tensor]) -> dict[str, Tensor]:
        """Losses of the decoder's own, already weighted (DSPN: the representation loss when the code is no encoding
        of the target). ``target`` is (elements, mask)."""
        return {}

    def variants(self) -> dict[str, dict[str, Any]]:
        """Ways to evaluate the same weights: name -> keyword arguments of ``forward``. The first is the headline."""
        return {"": {}}

    def answers(self, code: Float[Tensor, "batch latent"]) -> dict[str, PredictedSets]:
        """The answer of every variant."""
        return {name: self(code, **variant)[-1] for name, variant in self.variants().items()}

    def calibrate(self, code: Tensor, target: tuple[Tensor, Tensor]) -> dict[str, float]:
        """Set what must be set from the first training batch, before training; returns it for the record."""
        return {}


TaskLoss = Callable[[Any, Any], Tensor]


class Predictor(nn.Module, ABC):
    """What is trained: a source of a vector, joined to a decoder or a head. The harness sees only this.

    ``inputs`` is a tensor (vectors, images as float in [0, 1]) or a pair (elements, mask); ``targets`` a tensor or a
    pair (elements, mask). ``task_loss(prediction, targets)`` is the task's own loss.
    """

    @property
    def encoder(self) -> SetEncoder | None:
        """The set encoder, if there is one: the thing whose invariance is measured."""
        return None

    @abstractmethod
    def forward(self, inputs: Any, **variant: Any) -> Any:
        """The prediction: ``PredictedSets``, logits ``[batch, classes]`` or numbers ``[batch]``."""

    def trajectory(self, inputs: Any, **variant: Any) -> list[Any]:
        """Every prediction that ``forward`` passes through, its answer last. More than one where a decoder iterates."""
        return [self(inputs, **variant)]

    @abstractmethod
    def losses(self, inputs: Any, targets: Any, task_loss: TaskLoss) -> dict[str, Tensor]:
        """Named scalar losses; their sum is what training lowers. Always has "task"."""

    def variants(self) -> dict[str, dict[str, Any]]:
        """Ways to evaluate the same weights: name -> keyword arguments of ``forward``. The first is the headline."""
        return {"": {}}

    def answers(self, inputs: Any) -> dict[str, Any]:
        """The prediction of every variant; one that costs nothing beside another is not computed apart."""
        return {name: self(inputs, **variant) for name, variant in self.variants().items()}

    def calibrate(self, inputs: Any, targets: Any) -> dict[str, float]:
        """Called once, before training, with the first training batch; returns what it set, for the record."""
        return {}

    def encode(self, elements: Tensor, mask: Tensor) -> Tensor:
        """The code of sets, exactly as this predictor has its encoder see them. Only where ``encoder`` is not None.

        Permuting elements and mask together must not move it, if the encoder is invariant.
        """
        raise TypeError(f"{type(self).__name__} has no set encoder")

    def slots_error(self, inputs: Any) -> Tensor | None:
        """How far reversing the start's slots is from reversing the answer's, |f(Ps) - P f(s)| / |f(s)|: [batch].

        Zero but for rounding where the set encoder is invariant (Zhang et al. 2019, Theorem 1). None where the answer
        does not descend from a start.
        """
        return None

    def adversary(self) -> Mapping[str, Any] | None:
        """For min-max training: {"parameters": [...] that maximise the loss, "every": one adversary step per so many
        learner steps}. None for everything else."""
        return None
