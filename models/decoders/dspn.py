"""Deep Set Prediction Network (Zhang, Hare, Prügel-Bennett 2019): decode by gradient descent through a set encoder."""

from __future__ import annotations

from typing import Any, Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn

from setbench.models.decoders.iterative import IterativeDecoder
from setbench.models.decoders.mlp import MLPDecoder
from setbench.models.interfaces import SetEncoder
from setbench.models.ops.precision import at_least_single, single_under_autocast
from setbench.models.ops.presence import clamped, merge, split
from setbench.sets import PredictedSets
from setbench.specs import SetSpec


def paper_step(latent: int) -> float:
    """800 times the gradient of a mean over a batch of 32 and ``latent`` features, per sample of the sum."""
    return 800 / (32 * latent)


class DSPN(IterativeDecoder):
    """Start from a learned set; move it T times down the gradient of |encoder(set) - code| (algorithm 1).

    The encoder sees ``cat([elements, presence])`` of all ``max_size`` slots with the mask all True. Presence is
    clamped to [0, 1] before the first and after every step; elements are free. Training goes back through all steps
    to second order.

    Args:
        spec: the sets to predict.
        latent: size of the code; the encoder's too.
        width: hidden width of the MLP that makes the start, where one does.
        encoder: a set encoder built for ``spec.with_presence()`` and ``encoder_latent`` numbers.
        steps: T in training; ``variants`` evaluates the same weights at T and at 10, 20 and 30 steps.
        step: "calibrated" (see ``calibrate``), "paper" (800 / (32 latent)) or a number.
        loss: train on "all" T + 1 sets, as the paper's text has it, or on the "last", as its code had on CLEVR.
        representation_weight: lambda of the loss that draws the code towards the encoding of the target.
        momentum: of the inner steps; each adds this much of the move before.
        mask_sum: four times the mean presence is appended to what the encoder gives, as the code's last number; the
            encoder is then built for ``latent - 1`` numbers (``encoder_latent``). So are targets encoded, and the
            representation loss counts it like any other number of the code.
        inner: what of the distance between codes is descended, "huber" or "squared" (halved).
        start: "learned", one for all samples, or "mlp", made from the code by an MLP decoder.
        stop: a sample whose inner loss, as a mean over features, is below this moves no more; 0 never stops.

    Where we differ: the step is per sample, of the sum over features of the inner loss. The paper's 800 multiplies a
    mean over batch and features and so changes with the batch size; ours equals it at a batch of 32 with
    ``step=paper``. With ``mask_sum`` presence stays a feature of the elements; the authors' code drops it there and
    multiplies the elements' hidden features by it.

    Raises:
        ValueError: a momentum that does not die out, or an encoder that gives another number of numbers.
    """

    def __init__(
        self,
        spec: SetSpec,
        latent: int,
        width: int,
        *,
        encoder: SetEncoder,
        steps: int = 10,
        step: str | float = "calibrated",
        loss: Literal["all", "last"] = "all",
        representation_weight: float = 0.1,
        momentum: float = 0.0,
        mask_sum: bool = False,
        inner: Literal["huber", "squared"] = "huber",
        start: Literal["learned", "mlp"] = "learned",
        stop: float = 0.0,
    ) -> None:
        size = None if step == "calibrated" else paper_step(latent) if step == "paper" else float(step)
        super().__init__(spec, latent, encoder, steps, size, momentum)
        self.loss = loss
        self.representation_weight = representation_weight
        self.mask_sum = mask_sum
        self.inner = inner
        self.stop = stop
        if not 0 <= momentum < 1:
            raise ValueError(f"dspn: the momentum must be at least 0 and below 1, not {momentum}")
        if encoder.latent != self.encoder_latent(latent, mask_sum=mask_sum):
            own = " and mask_sum one" * mask_sum
            raise ValueError(f"dspn: the encoder gives {encoder.latent} numbers{own}, the code has {latent}")
        if start == "mlp":
            self.start_mlp: MLPDecoder | None = MLPDecoder(spec, latent, width, presence=0.5)
        else:
            self.start_mlp = None
            self.start_elements = nn.Parameter(torch.rand(spec.max_size, spec.features))
            self.start_presence = nn.Parameter(torch.full((spec.max_size,), 0.5))

    @classmethod
    def encoder_latent(cls, latent: int, **options: Any) -> int:
        """One fewer where ``mask_sum`` gives the last.

        Raises:
            ValueError: that leaves none.
        """
        own = int(bool(options.get("mask_sum")))
        if latent <= own:
            raise ValueError(f"dspn:mask_sum=True needs a code of 2 numbers or more, not {latent}")
        return latent - own

    def encode_slots(
        self, encoder: SetEncoder, slots: Float[Tensor, "batch slots with_presence"]
    ) -> Float[Tensor, "batch latent"]:
        code = super().encode_slots(encoder, slots)
        if not self.mask_sum:
            return code
        size = 4 * slots[..., -1].mean(dim=1, keepdim=True)
        return torch.cat([code, size.to(code.dtype)], dim=1)

    def start(self, code: Float[Tensor, "batch latent"]) -> Float[Tensor, "batch slots with_presence"]:
        if self.start_mlp is not None:
            (start,) = self.start_mlp(code)
            return clamped(merge(PredictedSets(*map(single_under_autocast, start))))
        start = PredictedSets(self.start_elements[None], self.start_presence[None])
        return clamped(merge(start)).expand(len(code), -1, -1)

    def distance(
        self, found: Float[Tensor, "batch latent"], code: Float[Tensor, "batch latent"]
    ) -> Float[Tensor, "batch latent"]:
        if self.inner == "squared":
            return (found - code).square() / 2
        return nn.functional.smooth_l1_loss(found, code, reduction="none")

    def descend(
        self, start: Float[Tensor, "batch slots with_presence"], code: Float[Tensor, "batch latent"], steps: int
    ) -> list[PredictedSets]:
        step = self.known_step()
        again = torch.is_grad_enabled()
        with torch.enable_grad():
            slots = start
            passed = [slots]
            move = torch.zeros_like(slots)
            for _ in range(steps):
                if not (again and slots.requires_grad):
                    slots = slots.detach().requires_grad_()
                gradient, loss = self.gradient(slots, code, again)
                move = self.momentum * move - step * gradient
                if self.stop:
                    move = move * (loss >= self.stop)[:, None, None]
                slots = clamped(slots + move)
                passed.append(slots)
        return [split(slots if again else slots.detach()) for slots in passed]

    def in_loss(self, sets: list[PredictedSets]) -> list[PredictedSets]:
        return sets if self.loss == "all" else sets[-1:]

    def extra_losses(self, code: Tensor, target: tuple[Tensor, Tensor]) -> dict[str, Tensor]:
        if not self.representation_weight:
            return {}
        over = "mean" if len(code) else "sum"  # the mean of nothing is no number
        codes = at_least_single(self.encode(*target)), at_least_single(code)
        distance = nn.functional.smooth_l1_loss(*codes, reduction=over)
        return {"representation": self.representation_weight * distance}
