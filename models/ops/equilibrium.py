"""PyG's equilibrium aggregation, each set by itself, with derivatives of any order."""

from __future__ import annotations

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch_geometric.nn.aggr import EquilibriumAggregation


class PlainLayerNorm(nn.LayerNorm):
    """Layer normalisation in elementary operations, whose derivatives of all orders are right.

    Those of torch's own kernel are wrong from the third on (2.13: its second derivative takes the saved mean and
    deviation for constants). Inside DSPN an aggregation that is a gradient descent needs the third.
    """

    def forward(self, values: Float[Tensor, "*rows width"]) -> Float[Tensor, "*rows width"]:
        centred = values - values.mean(dim=-1, keepdim=True)
        variance = centred.square().mean(dim=-1, keepdim=True)
        return centred * (variance + self.eps).rsqrt() * self.weight + self.bias


class PerSetEquilibrium(EquilibriumAggregation):
    """argmin over y of the mean over i of a potential F(x_i, y), plus softplus(lambda) |y|^2, by unrolled descent.

    Source: Bartunov et al. 2022, equation 2. PyG 2.8 averages the second term over the sets of a batch but sums the
    first, so that a set's code depends on how many others are beside it: here both are sums. PyG also starts from
    float32 zeros whatever the dtype, and gives the potential constant terms, which no gradient reaches.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        for layer in list(self.potential.layers)[:-1]:
            layer[1] = PlainLayerNorm(layer[1].normalized_shape)
        # What is added behind the last nonlinearity is constant in y.
        for linear in (self.potential.layers[-1], *self.potential.res_trans[-2:]):
            linear.register_parameter("bias", None)

    def init_output(self, dim_size: int) -> Tensor:
        return torch.zeros(dim_size, self.output_dim, dtype=self.lamb.dtype, device=self.lamb.device).requires_grad_()

    def reg(self, y: Tensor) -> Tensor:
        return self.softplus(self.lamb) * y.square().sum()
