"""The equivariant linear layer between tensors on pairs of elements (Maron et al. 2019, appendix A)."""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn


class TwoToTwo(nn.Module):
    """Every linear map of ``X[i, j]`` to ``Y[i, j]`` that does not depend on the numbering: 15 maps and 2 biases.

    There are as many as partitions of four indices, Bell(4) = 15; on sets of three elements 14 of them are
    independent, of two 8. ``coefficients[k]`` belongs to map k (m = number of elements, r_i = sum_j X_ij / m,
    c_j = sum_i X_ij / m, d_i = X_ii, t = sum_i d_i / m, s = sum_ij X_ij / m^2):

    ======  =====================================
    0 to 4  on the diagonal alone: d_i, t, r_i, c_i, s
    5 to 8  r_i, r_j, c_i, c_j
    9, 10   X_ij, X_ji
    11, 12  d_i, d_j
    13, 14  t, s
    ======  =====================================

    One bias stands everywhere, one on the diagonal. Sums are divided by what they run over (the authors'
    normalisation "inf"), by each set's own size where the authors' batches have one size.

    Args:
        inner: channels of X.
        outer: channels of Y.
    """

    def __init__(self, inner: int, outer: int) -> None:
        super().__init__()
        self.coefficients = nn.Parameter(torch.randn(15, inner, outer) * (2 / (inner + outer)) ** 0.5)
        self.bias = nn.Parameter(torch.zeros(outer))
        self.diagonal_bias = nn.Parameter(torch.zeros(outer))

    def forward(
        self, pairs: Float[Tensor, "batch size size inner"], mask: Bool[Tensor, "batch size"]
    ) -> Float[Tensor, "batch size size outer"]:
        """``pairs`` must be 0 where one of the two is padding; so is the result."""
        w = self.coefficients
        size = mask.sum(dim=1).clamp(min=1)[:, None].to(pairs.dtype)
        rows, columns = pairs.sum(dim=2) / size[..., None], pairs.sum(dim=1) / size[..., None]
        diagonal = pairs.diagonal(dim1=1, dim2=2).transpose(1, 2)
        trace, total = diagonal.sum(dim=1) / size, rows.sum(dim=1) / size

        # All that depends on one index in one product: what is laid along i, along j and on the diagonal.
        single = torch.cat([diagonal, rows, columns], dim=-1)
        along = torch.cat([w[[11, 12, 0]], w[[5, 6, 2]], w[[7, 8, 3]]], dim=1)
        along_i, along_j, on_diagonal = torch.einsum("bnd,kdo->kbno", single, along)
        on_diagonal = on_diagonal + (trace @ w[1] + total @ w[4] + self.diagonal_bias)[:, None]
        everywhere = trace @ w[13] + total @ w[14] + self.bias

        straight, turned = (pairs @ torch.cat([w[9], w[10]], dim=-1)).chunk(2, dim=-1)
        result = straight + turned.transpose(1, 2) + (along_i + everywhere[:, None])[:, :, None] + along_j[:, None]
        result.diagonal(dim1=1, dim2=2).add_(on_diagonal.transpose(1, 2))
        return result.masked_fill(~(mask[:, :, None] & mask[:, None, :])[..., None], 0)
