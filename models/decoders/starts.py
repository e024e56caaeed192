"""Where slots start that compete for what is seen."""

from __future__ import annotations

from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn


class SlotStarts(nn.Module):
    """Slots before the first iteration: ``[batch, slots, width]``.

    Args:
        slots: how many.
        width: numbers of each.
        kind: "gaussian", all drawn from one Gaussian of learned mean and deviations (Locatello et al. 2020): afresh for
            every sample in training; at evaluation one draw, saved with the weights, serves all samples, so that a
            prediction depends on neither chance nor batch. Or "learned", a vector of its own for each slot.
    """

    draw: Tensor

    def __init__(self, slots: int, width: int, kind: Literal["gaussian", "learned"]) -> None:
        super().__init__()
        self.learned = kind == "learned"
        if self.learned:
            self.each = nn.Parameter(torch.randn(slots, width))
        else:
            self.mean = nn.Parameter(nn.init.xavier_uniform_(torch.empty(1, width)))
            self.log_deviation = nn.Parameter(nn.init.xavier_uniform_(torch.empty(1, width)))
            self.register_buffer("draw", torch.randn(slots, width))

    def forward(self, batch: int) -> Float[Tensor, "batch slots width"]:
        if self.learned:
            return self.each.expand(batch, -1, -1)
        shape = (batch, *self.draw.shape)
        draw = self.draw.new_empty(shape).normal_() if self.training else self.draw.expand(shape)
        return self.mean + self.log_deviation.exp() * draw
