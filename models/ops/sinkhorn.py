"""Sinkhorn's algorithm on the logarithms of a matrix: a soft permutation of the real elements of each set."""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float
from torch import Tensor

FAR = -1e9
"""A logit of nothing: its exponential is 0 in every dtype, and unlike -inf it has derivatives."""


def sinkhorn(
    logits: Float[Tensor, "*batch size size"], mask: Bool[Tensor, "*batch size"], rounds: int
) -> Float[Tensor, "*batch size size"]:
    """Rows (elements), then columns (positions), divided by their sums, so many times.

    A set of n real elements gets the first n positions; whatever concerns padding is 0. The last division is that of
    the columns, so every position holds a weighted mean of elements, and row sums are near 1.
    """
    positions = torch.arange(mask.shape[-1], device=mask.device) < mask.sum(dim=-1, keepdim=True)
    rows, columns = mask[..., :, None], positions[..., None, :]
    # Padding is matched to the spare positions in a block of its own, so that no row or column is without a partner.
    logs = torch.where(rows & columns, logits, torch.where(~rows & ~columns, 0.0, FAR).to(logits.dtype))
    for _ in range(rounds):
        logs = logs - logs.logsumexp(dim=-1, keepdim=True)
        logs = logs - logs.logsumexp(dim=-2, keepdim=True)
    return logs.exp().masked_fill(~(rows & columns), 0)


def arrange(
    permutation: Float[Tensor, "*#batch size size"], elements: Float[Tensor, "*#batch size features"]
) -> Float[Tensor, "... size features"]:
    """P^T X: what stands at each position, a weighted mean of elements."""
    return permutation.transpose(-1, -2) @ elements
