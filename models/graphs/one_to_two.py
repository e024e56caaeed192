"""The equivariant linear layer from elements to tensors on pairs of them (Maron et al. 2019, appendix A)."""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn


class OneToTwo(nn.Module):
    """Every linear map of ``x[i]`` to ``Y[i, j]`` that does not depend on the numbering: 5 maps and 2 biases.

    There are as many as partitions of three indices, Bell(3) = 5; on sets of two elements 4 of them are independent,
    of one 1. ``coefficients[k]`` belongs to map k (a = the mean of x over the set's own elements):

    ====  ==================================
    0, 1  on the diagonal alone: x_i, a
    2, 3  x_i, x_j
    4     a
    ====  ==================================

    One bias stands everywhere, one on the diagonal.

    Args:
        inner: channels of x.
        outer: channels of Y.
    """

    def __init__(self, inner: int, outer: int) -> None:
        super().__init__()
        self.coefficients = nn.Parameter(torch.randn(5, inner, outer) * (2 / (inner + outer)) ** 0.5)
        self.bias = nn.Parameter(torch.zeros(outer))
        self.diagonal_bias = nn.Parameter(torch.zeros(outer))

    def forward(
        self, elements: Float[Tensor, "batch size inner"], mask: Bool[Tensor, "batch size"]
    ) -> Float[Tensor, "batch size size outer"]:
        """``elements`` must be 0 at padding; the result is 0 where one of the two is padding."""
        w = self.coefficients
        mean = elements.sum(dim=1) / mask.sum(dim=1, keepdim=True).clamp(min=1)
        everywhere = (mean @ w[4] + self.bias)[:, None]
        on_diagonal = elements @ w[0] + (mean @ w[1] + self.diagonal_bias)[:, None]
        result = (elements @ w[2] + everywhere)[:, :, None] + (elements @ w[3])[:, None]
        result.diagonal(dim1=1, dim2=2).add_(on_diagonal.transpose(1, 2))
        return result.masked_fill(~(mask[:, :, None] & mask[:, None, :])[..., None], 0)
