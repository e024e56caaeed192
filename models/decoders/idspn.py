"""iDSPN (Zhang, Zhang, Lacoste-Julien, Burghouts, Snoek 2022): DSPN by approximate implicit differentiation."""

from __future__ import annotations

from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn

from setbench.models.decoders.iterative import IterativeDecoder
from setbench.models.interfaces import PredictedSets, SetEncoder, SetSpec
from setbench.models.ops.presence import split

NOISE = 0.1
"""Standard deviation of a random start."""
LONGEST = 10.0
"""No sample's gradient step is longer than this (the paper clips gradient norms; its step size is 1)."""
PULL = 0.1
"""Weight of half the squared distance to a learned start, in the inner loss at step size 1."""


class IDSPN(IterativeDecoder):
    """Minimise |encoder(set) - code|^2 / 2 (Nesterov momentum .9) unrecorded; differentiate the last step alone.

    At a minimum the implicit function theorem gives the outer gradient through the inverse Hessian of the inner loss.
    With the Hessian replaced by the identity that is the derivative, in code and encoder, of one gradient step at the
    set before the last update: so memory does not grow with T. Presence is a coordinate like any other, not clamped.

    Args:
        spec: the sets to predict.
        latent: size of the code; the encoder's too.
        width: unused.
        encoder: a set encoder built for ``spec.with_presence()``.
        steps: T; the paper has 20 in the first half of training and 40 in the second, here one number.
        step: "calibrated" (see ``calibrate``), "paper" (1 / latent: size 1 for a mean over features) or a number.
        start: "noise" (fresh for every sample in training; at evaluation one draw, saved with the weights, for all, so
            that a prediction depends on neither chance nor batch) or "learned", with a pull towards it.
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

    def forward(  # type: ignore[override]  # the names of variants are each decoder's own
        self, code: Float[Tensor, "batch latent"], steps: int | None = None
    ) -> list[PredictedSets]:
        """The start and the set after each step; only the last has a gradient."""
        size = self.known_step()
        steps = self.steps if steps is None else steps
        first = self.first_slots(code)
        slots = first.detach()
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
                    move = move + PULL * (before - (first if differentiate else first.detach()))
                move = shortened(move)
            speed = self.momentum * speed + move.detach()
            slots = before - (move.detach() + self.momentum * speed)
            passed.append(slots)
            if differentiate:
                passed[-1] = slots - (move - move.detach())
        return [split(each) for each in passed]


def shortened(move: Float[Tensor, "batch slots with_presence"]) -> Float[Tensor, "batch slots with_presence"]:
    """Each sample's move cut to a length of ``LONGEST``."""
    length = move.detach().square().sum(dim=(1, 2), keepdim=True).sqrt()
    return move * (LONGEST / length.clamp(min=LONGEST))
