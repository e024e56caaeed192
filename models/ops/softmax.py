"""Softmax over the real elements of a set."""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from setbench.models.ops.padding import filled


def masked_softmax(logits: Float[Tensor, "*rows keys"], mask: Bool[Tensor, "*#rows keys"]) -> Tensor:
    """Softmax over the keys where ``mask`` is True; all zeros (and no gradient) where there is none."""
    weights = filled(logits, mask, torch.finfo(logits.dtype).min).softmax(dim=-1)
    return filled(weights, mask)
