"""The equivariant linear layer from tensors on pairs of elements to elements (Maron et al. 2019, appendix A)."""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn


class TwoToOne(nn.Module):
    """Every linear map of ``X[i, j]`` to ``y[i]`` that does not depend on the numbering: 5 maps and a bias.

    There are as many as partitions of three indices, Bell(3) = 5; on sets of two elements 4 of them are independent,
    of one 1. ``coefficients[k]`` belongs to map k: d_i, r_i, c_i, t, s (the diagonal, means over a row, over a column,
    over the diagonal, over all pairs), in the words of :class:`~setbench.models.graphs.two_to_two.TwoToTwo`. Each set
    divides by its own size.

    No network of the suite has it: with :class:`~setbench.models.graphs.one_to_two.OneToTwo` and ``TwoToTwo`` it
    completes the layers between elements and pairs.

    Args:
        inner: channels of X.
        outer: channels of y.
    """

    def __init__(self, inner: int, outer: int) -> None:
        super().__init__()
        self.coefficients = nn.Parameter(torch.randn(5, inner, outer) * (2 / (inner + outer)) ** 0.5)
        self.bias = nn.Parameter(torch.zeros(outer))

    def forward(
        self, pairs: Float[Tensor, "batch size size inner"], mask: Bool[Tensor, "batch size"]
    ) -> Float[Tensor, "batch size outer"]:
        """``pairs`` must be 0 where one of the two is padding; so is the result."""
        w = self.coefficients
        size = mask.sum(dim=1).clamp(min=1)[:, None].to(pairs.dtype)
        rows, columns = pairs.sum(dim=2) / size[..., None], pairs.sum(dim=1) / size[..., None]
        diagonal = pairs.diagonal(dim1=1, dim2=2).transpose(1, 2)
        trace, total = diagonal.sum(dim=1) / size, rows.sum(dim=1) / size
        alike = trace @ w[3] + total @ w[4] + self.bias
        result = diagonal @ w[0] + rows @ w[1] + columns @ w[2] + alike[:, None]
        return result.masked_fill(~mask[..., None], 0)
