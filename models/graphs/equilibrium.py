"""PyG's equilibrium aggregation, each set by itself."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch_geometric.nn.aggr import EquilibriumAggregation


class PerSetEquilibrium(EquilibriumAggregation):
    """argmin over y of the mean of a potential F(x_i, y) plus softplus(lambda) |y|^2, by unrolled gradient descent.

    Source: Bartunov et al. 2022, equation 2. PyG 2.8 averages the second term over the sets of a batch but sums the
    first, so that a set's code depends on how many others are beside it: here both are sums. PyG also starts from
    float32 zeros whatever the dtype, and gives the potential constant terms, which no gradient reaches.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.potential.layers[-1].register_parameter("bias", None)
        self.potential.res_trans[-1].register_parameter("bias", None)

    def init_output(self, dim_size: int) -> Tensor:
        return torch.zeros(dim_size, self.output_dim, dtype=self.lamb.dtype, device=self.lamb.device).requires_grad_()

    def reg(self, y: Tensor) -> Tensor:
        return self.softplus(self.lamb) * y.square().sum()
