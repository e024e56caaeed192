"""The layer normalisation inside the equilibrium aggregation: torch's values, and derivatives that are right."""

import torch
from torch import Tensor, nn

from setbench.models.ops.equilibrium import PlainLayerNorm


def third_derivatives_are_right(norm: nn.Module) -> bool:
    def slope(x: Tensor) -> Tensor:
        return torch.autograd.grad(norm(x).tanh().sum(), x, create_graph=True)[0]

    x = torch.linspace(-1, 2, 12, dtype=torch.double).reshape(3, 4).square().requires_grad_()
    return torch.autograd.gradgradcheck(slope, x, raise_exception=False)


def test_plain_layer_norm():
    ours, theirs = PlainLayerNorm(4).double(), nn.LayerNorm(4).double()
    x = torch.randn(5, 4, dtype=torch.double)
    torch.testing.assert_close(ours(x), theirs(x))
    assert third_derivatives_are_right(ours)
