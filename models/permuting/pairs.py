"""Sums over the ordered pairs of a set of a ReLU layer that is split into its two halves."""

from __future__ import annotations

from jaxtyping import Bool, Float
from torch import Tensor


def relu_pair_sums(
    first: Float[Tensor, "batch size width"],
    second: Float[Tensor, "batch size width"],
    mask: Bool[Tensor, "batch size"],
) -> Float[Tensor, "batch size width"]:
    """For each i the sum over every real j (j = i too) of relu(first_i + second_j). Rows of padding mean nothing."""
    second = second.masked_fill(~mask[..., None], float("-inf"))  # relu(-inf) = 0, with gradient 0
    return (first[:, :, None] + second[:, None]).relu().sum(dim=2)
