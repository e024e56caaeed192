"""Small pieces that many architectures share: an MLP and pools that ignore padding."""

from __future__ import annotations

from itertools import pairwise

from jaxtyping import Bool, Float
from torch import Tensor, nn


def mlp(*widths: int) -> nn.Sequential:
    """Linear layers of these widths with ReLU between them (none after the last)."""
    layers: list[nn.Module] = []
    for inner, outer in pairwise(widths):
        layers += [nn.Linear(inner, outer), nn.ReLU()]
    return nn.Sequential(*layers[:-1])


def masked_sum(
    values: Float[Tensor, "batch size width"], mask: Bool[Tensor, "batch size"]
) -> Float[Tensor, "batch width"]:
    """Sum over the real elements; 0 for an empty set."""
    return values.masked_fill(~mask[..., None], 0).sum(dim=1)


def masked_mean(
    values: Float[Tensor, "batch size width"], mask: Bool[Tensor, "batch size"]
) -> Float[Tensor, "batch width"]:
    """Mean over the real elements; 0 for an empty set."""
    return masked_sum(values, mask) / mask.sum(dim=1, keepdim=True).clamp(min=1)


def masked_max(
    values: Float[Tensor, "batch size width"], mask: Bool[Tensor, "batch size"]
) -> Float[Tensor, "batch width"]:
    """Maximum over the real elements; 0 for an empty set."""
    largest = values.masked_fill(~mask[..., None], float("-inf")).amax(dim=1)
    return largest.masked_fill(~mask.any(dim=1, keepdim=True), 0)
