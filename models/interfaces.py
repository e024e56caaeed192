"""The contracts of the architectures. Nothing here knows of tasks or of the harness.

A batch of sets is ``elements: float[batch, size, features]`` with ``mask: bool[batch, size]``, True where an element
is real. Padding has no effect on any encoder: more of it never changes the result.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from setbench.models.ops.padding import no_padding
from setbench.models.ops.presence import encode_slots, slots_of
from setbench.models.ops.real_slots import real_alone
from setbench.models.set_module import SetModule
from setbench.sets import PredictedSets
from setbench.specs import SetSpec

__all__ = ["PredictedSets", "Predictor", "SetDecoder", "SetEncoder", "SetLayer", "SetSpec", "TaskLoss"]


class SetEncoder(SetModule, ABC):
    """A set in, one vector out. Built as ``Encoder(spec, latent, width, **options)``, called as
    ``encoder(elements, mask)``.

    A new encoder gives ``forward``, which is only ever called with elements and a bool mask of the right shapes, with
    zeros in the padding whatever stood there, and with one set and one slot at the least.

    Twice differentiable in ``elements``, since DSPN descends through its gradient. Sets of size 0 and 1 give finite
    values. ``random`` is True where ``forward`` draws random numbers (pi-SGD): predictors then average several draws.
    ``samples`` draws are averaged in one ``forward``; with ``frozen_seed`` set every ``forward`` draws the same.
    ``training_draws`` are how many draws of it a predictor takes in one training step.
    ``surrogate_gradient`` is True for straight-through estimators, whose gradient is meant not to be their own.
    ``fixed_size`` is True where sets of more than ``spec.max_size`` elements are refused.
    """

    random: bool = False
    surrogate_gradient: bool = False
    fixed_size: bool = False
    samples: int = 1
    training_draws: int = 1
    frozen_seed: int | None = None

    def __call__(
        self, elements: Float[Tensor, "batch size features"], mask: Tensor | None = None
    ) -> Float[Tensor, "batch latent"]:
        """The codes of a batch of sets.

        Args:
            elements: ``float[batch, size, features]``.
            mask: ``[batch, size]``, of bool or of numbers that are 0 or 1; True or 1 where an element is real. None
                where all are.

        Raises:
            ValueError: shapes or a mask that do not fit; for an encoder of a fixed size, a set that is too large.
        """
        return real_alone(super().__call__, elements, self.checked(elements, mask))

    def checked(self, elements: Tensor, mask: Tensor | None) -> Bool[Tensor, "batch size"]:
        """The mask as bool, if all fits. No values are read from a device, unless the mask is not bool, or there are
        more places than a fixed size has."""
        name = type(self).__name__
        if elements.ndim != 3 or elements.shape[2] != self.spec.features:
            raise ValueError(
                f"{name} takes elements [batch, size, {self.spec.features}], not {list(elements.shape)}: "
                f"it was built for {self.spec.features} features"
            )
        if not elements.is_floating_point():
            raise ValueError(f"{name} takes elements of a floating-point dtype, not {elements.dtype}")
        if mask is None:
            real = no_padding(elements)
        elif mask.shape != elements.shape[:2]:
            raise ValueError(
                f"{name}: the mask has shape {list(mask.shape)}, not {list(elements.shape[:2])} as the elements have"
            )
        elif mask.dtype == torch.bool:
            real = mask
        else:
            real = mask == 1
            if not (real | (mask == 0)).all():
                raise ValueError(f"{name}: a mask is bool, or of numbers 0 and 1 alone")
        if self.fixed_size and elements.shape[1] > self.spec.max_size:
            largest = elements.shape[1] if mask is None else int(real.sum(dim=1).max()) if len(real) else 0
            if largest > self.spec.max_size:
                raise ValueError(f"{name} was built for sets of at most {self.spec.max_size} elements, not {largest}")
        return real

    @abstractmethod
    def forward(
        self, elements: Float[Tensor, "batch size features"], mask: Bool[Tensor, "batch size"]
    ) -> Float[Tensor, "batch latent"]: ...

    def reset_parameters(self) -> None:
        """Begin again: weights and buffers as one freshly built with the same arguments has them."""
        args, kwargs = self.built_with
        self.load_state_dict(type(self)(*args, **kwargs).state_dict())

    def adversaries(self) -> Sequence[nn.Parameter]:
        """The parameters that are to raise the loss, for min-max training; every other one lowers it."""
        return ()


class SetLayer(nn.Module, ABC):
    """A set in, a set of the same size out, equivariant: permuting the input permutes the output."""

    @abstractmethod
    def forward(
        self, elements: Float[Tensor, "batch size features"], mask: Bool[Tensor, "batch size"]
    ) -> Float[Tensor, "batch size out"]: ...


class SetDecoder(SetModule, ABC):
    """One vector in, a set out. Built as ``Decoder(spec, latent, width, **options)``.

    A decoder whose entry says ``sees="feature map"`` is given ``[batch, cells, latent]`` in place of the code.

    ``forward`` returns every set that the decoder passes through; the last one is the answer. A plain decoder returns
    one. ``iterative`` decoders (DSPN) also take ``encoder=`` at construction: a ``SetEncoder`` built for
    ``spec.with_presence()``. ``silent`` names the parameters whose gradient is zero by design.
    """

    silent: tuple[str, ...] = ()

    @abstractmethod
    def forward(self, code: Float[Tensor, "batch latent"], budget: int | None = None) -> list[PredictedSets]:
        """Every set on the way, the answer last. ``budget`` is how many steps an iterative decoder takes, None its
        own number; a plain decoder has no use for it."""

    @classmethod
    def encoder_latent(cls, latent: int, **options: Any) -> int:
        """How many numbers its set encoder gives, where the code has ``latent``: fewer if it adds some of its own."""
        return latent

    def in_loss(self, sets: list[PredictedSets]) -> list[PredictedSets]:
        """Those of the sets whose loss is averaged in training; by default the answer alone."""
        return sets[-1:]

    def extra_losses(self, code: Tensor, target: tuple[Tensor, Tensor]) -> dict[str, Tensor]:
        """Losses of the decoder's own, already weighted (DSPN: the representation loss when the code is no encoding
        of the target). ``target`` is (elements, mask)."""
        return {}

    def variants(self) -> dict[str, int | None]:
        """Ways to evaluate the same weights: name -> ``budget`` of ``forward``. The first is the headline."""
        return {"": None}

    def answers(self, code: Float[Tensor, "batch latent"]) -> dict[str, PredictedSets]:
        """The answer of every variant."""
        return {name: self(code, budget)[-1] for name, budget in self.variants().items()}

    def calibrate(self, code: Tensor, target: tuple[Tensor, Tensor]) -> dict[str, float]:
        """Set what must be set from the first training batch, before training; returns it for the record."""
        return {}

    def encode_slots(
        self, encoder: SetEncoder, slots: Float[Tensor, "batch slots with_presence"]
    ) -> Float[Tensor, "batch latent"]:
        """The code of slots, presence being their last feature: what this decoder takes for the code of a set."""
        return encode_slots(encoder, slots)

    def encode_sets(
        self, encoder: SetEncoder, elements: Float[Tensor, "batch size features"], mask: Bool[Tensor, "batch size"]
    ) -> Float[Tensor, "batch latent"]:
        """The code of given sets, padded to ``max_size`` slots with presence as a feature.

        Raises:
            ValueError: the sets have more places than ``spec.max_size``.
        """
        return self.encode_slots(encoder, slots_of(elements, mask, self.spec.max_size))

    def slots_error(self, code: Float[Tensor, "batch latent"]) -> Float[Tensor, " batch"] | None:
        """How far reversing the start's slots is from reversing the answer's, |f(Ps) - P f(s)| / |f(s)|.

        Zero but for rounding where the set encoder is invariant (Zhang et al. 2019, Theorem 1). None where the answer
        does not descend from a start.
        """
        return None


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
    def forward(self, inputs: Any, budget: int | None = None) -> Any:
        """The prediction: ``PredictedSets``, logits ``[batch, classes]`` or numbers ``[batch]``.

        ``budget`` is how much is spent on it, where that can be chosen: DSPN's steps, or the draws of a random encoder
        that are averaged; None for as much as in training.
        """

    def trajectory(self, inputs: Any, budget: int | None = None) -> list[Any]:
        """Every prediction that ``forward`` passes through, its answer last. More than one where a decoder iterates."""
        return [self(inputs, budget)]

    @abstractmethod
    def losses(self, inputs: Any, targets: Any, task_loss: TaskLoss) -> dict[str, Tensor]:
        """Named scalar losses; their sum is what training lowers. Always has "task"."""

    def variants(self) -> dict[str, int | None]:
        """Ways to evaluate the same weights: name -> ``budget`` of ``forward``. The first is the headline."""
        return {"": None}

    def answers(self, inputs: Any) -> dict[str, Any]:
        """The prediction of every variant; one that costs nothing beside another is not computed apart."""
        return {name: self(inputs, budget) for name, budget in self.variants().items()}

    def calibrate(self, inputs: Any, targets: Any) -> dict[str, float]:
        """Called once, before training, with the first training batch; returns what it set, for the record."""
        return {}

    def encode(self, elements: Tensor, mask: Tensor) -> Tensor:
        """The code of sets, exactly as this predictor has its encoder see them. Only where ``encoder`` is not None.

        Permuting elements and mask together must not move it, if the encoder is invariant.
        """
        raise TypeError(f"{type(self).__name__} has no set encoder")

    def slots_error(self, inputs: Any) -> Tensor | None:
        """That of the decoder, ``[batch]``; None where the answer does not descend from a start."""
        return None

    def adversaries(self) -> Sequence[nn.Parameter]:
        """The parameters that are to raise the loss, for min-max training: the encoder's, if it has any. They take one
        step for each of the others'."""
        return () if self.encoder is None else self.encoder.adversaries()
