"""iDSPN (Zhang, Zhang, Lacoste-Julien, Burghouts, Snoek 2022): DSPN by approximate implicit differentiation."""

from __future__ import annotations

from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn

from setbench.models.decoders.iterative import IterativeDecoder
from setbench.models.interfaces import SetEncoder
from setbench.models.ops.presence import split
from setbench.sets import PredictedSets
from setbench.specs import SetSpec

NOISE = 0.1
"""Standard deviation of a random start."""
LONGEST = 10.0
"""No sample's gradient step is longer than this (the paper clips gradient norms; its step size is 1)."""
PULL = 0.1
"""Weight of half the mean squared distance to a learned start, over all numbers of the set, in the inner loss."""


class IDSPN(IterativeDecoder):
    """Minimise |encoder(set) - code|^2 / 2 (Nesterov momentum .9) unrecorded; differentiate the last step alone.

    At a minimum the implicit function theorem gives the outer gradient through the inverse Hessian of the inner loss.
    With the Hessian replaced by the identity that is the derivative, in code and encoder, of one gradient step at the
    set before the last update: so memory does not grow with T. Presence is a coordinate like any other, not clamped.

    Args:
        spec: the sets to predict.
        latent: size of the code; the encoder's too.
        width: as every decoder takes it, here without effect: iDSPN has no hidden layer of its own.
        encoder: a set encoder built for ``spec.with_presence()``.
        steps: T; the paper has 20 in the first half of training and 40 in the second, here one number.
        step: "calibrated" (see ``calibrate``), "paper" (1 / latent: size 1 for a mean over features) or a number.
        start: "noise" (fresh for every sample in training; at evaluation one draw, saved with the weights, for all, so
            that a prediction depends on neither chance nor batch) or "learned", with a pull towards it.

    The inner loss is a mean over the code's numbers, and with start=learned ``PULL`` times a mean over the set's; the
    authors' learning rate of 1 is ``step=paper``. Another step is one for the first term alone, so that the pull never
    overshoots. As in the authors' code the outer gradient is that of the last step uncut: where no step is longer than
    ``LONGEST`` it is the derivative of what was done, elsewhere it is longer than that.
    """

    def __init__(
        self,
        spec: SetSpec,
        latent: int,
        width: int,
        *,
        encoder: SetEncoder,
        steps: int = 20,
        step: str | float = "calibrated",
        start: Literal["noise", "learned"] = "noise",
    ) -> None:
        size = None if step == "calibrated" else 1 / latent if step == "paper" else float(step)
        super().__init__(spec, latent, encoder, steps, size, momentum=0.9)
        first = NOISE * torch.randn(spec.max_size, spec.features + 1)
        self.learned = start == "learned"
        if self.learned:
            self.first = nn.Parameter(first)
        else:
            self.register_buffer("first", first)

    def start(self, code: Float[Tensor, "batch latent"]) -> Float[Tensor, "batch slots with_presence"]:
        first = self.first.expand(len(code), -1, -1)
        return first if self.learned or not self.training else NOISE * torch.randn_like(first)

    def distance(
        self, found: Float[Tensor, "batch latent"], code: Float[Tensor, "batch latent"]
    ) -> Float[Tensor, "batch latent"]:
        return (found - code).square() / 2

    def descend(
        self, start: Float[Tensor, "batch slots with_presence"], code: Float[Tensor, "batch latent"], steps: int
    ) -> list[PredictedSets]:
        """Only the last set has a gradient."""
        size = self.known_step()
        slots = start.detach()
        passed = [slots]
        speed = torch.zeros_like(slots)
        for left in reversed(range(steps)):
            differentiate = left == 0 and torch.is_grad_enabled()
            with torch.enable_grad():
                before = slots.detach().requires_grad_()
                gradient, _ = self.gradient(before, code if differentiate else code.detach(), differentiate)
                before = before.detach()
                move = size * gradient
                if self.learned:
                    off = before - (start if differentiate else start.detach())
                    move = move + PULL / (off.shape[1] * off.shape[2]) * off
            taken = shortened(move.detach())
            speed = self.momentum * speed + taken
            slots = before - (taken + self.momentum * speed)
            passed.append(slots)
            if differentiate:
                passed[-1] = slots - (move - move.detach())
        return [split(each) for each in passed]


def shortened(move: Float[Tensor, "batch slots with_presence"]) -> Float[Tensor, "batch slots with_presence"]:
    """Each sample's move cut to a length of ``LONGEST``."""
    length = move.square().sum(dim=(1, 2), keepdim=True).sqrt()
    return move * (LONGEST / length.clamp(min=LONGEST))
