"""The mean and spread of a set's values, and of its ranks."""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from setbench.models.ops.layers import masked_mean

LEAST = 1e-5
"""Added to the variance, so that its root has a derivative where all values are equal."""


def moments(
    values: Float[Tensor, "batch size width"], mask: Bool[Tensor, "batch size"]
) -> tuple[Float[Tensor, "batch 1 width"], Float[Tensor, "batch 1 width"]]:
    """Mean and standard deviation over the real elements, for every set and channel; 0 and almost 0 for empty sets."""
    mean = masked_mean(values, mask)[:, None]
    variance = masked_mean((values - mean).square(), mask)[:, None]
    return mean, (variance + LEAST).sqrt()


def rank_spread(mask: Bool[Tensor, "batch size"], dtype: torch.dtype) -> Float[Tensor, "batch 1 1"]:
    """The standard deviation of the ranks 1..n, the square root of (n^2 - 1) / 12; for n < 2 that of n = 2."""
    sizes = mask.sum(dim=1)[:, None, None].clamp(min=2).to(dtype)
    return ((sizes.square() - 1) / 12).sqrt()
