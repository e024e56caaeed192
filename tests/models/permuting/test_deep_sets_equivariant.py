"""Deep Sets' equivariant layer as the N d x N d matrix that its theorem describes, and in numpy where it has a max."""

import numpy as np
import pytest
import torch

from setbench.models.interfaces import SetSpec
from setbench.models.permuting.deep_sets_equivariant import DeepSetsEquivariant, DeepSetsLayer


def test_mean_layer_is_one_matrix_on_the_whole_set():
    """I (x) Gamma - 1 1^T / N (x) Lambda: equation 4 with the mean."""
    torch.manual_seed(0)
    layer = DeepSetsLayer(3, 5, "mean", tied=False).double()
    elements = torch.randn(1, 4, 3, dtype=torch.float64)
    matrix = torch.kron(torch.eye(4), layer.gamma.weight) - torch.kron(torch.ones(4, 4) / 4, layer.lambda_.weight)
    expected = (matrix @ elements.flatten()).reshape(1, 4, 5) + layer.gamma.bias
    torch.testing.assert_close(layer(elements, torch.ones(1, 4, dtype=torch.bool)), expected)


@pytest.mark.parametrize("tied", [False, True])
def test_max_layer_in_numpy_with_padding(tied):
    torch.manual_seed(0)
    layer = DeepSetsLayer(3, 5, "max", tied=tied).double()
    elements = torch.randn(1, 4, 3, dtype=torch.float64)
    mask = torch.tensor([[True, False, True, True]])
    x = elements[0].numpy()[[0, 2, 3]]
    gamma, bias = layer.gamma.weight.detach().numpy(), layer.gamma.bias.detach().numpy()
    other = gamma if tied else layer.lambda_.weight.detach().numpy()
    expected = x @ gamma.T + bias - x.max(axis=0) @ other.T
    np.testing.assert_allclose(layer(elements, mask)[0, [0, 2, 3]].detach().numpy(), expected, atol=1e-14)


def test_tied_layers_forget_where_the_set_is_and_others_do_not():
    elements, mask = torch.randn(2, 4, 3, dtype=torch.float64), torch.ones(2, 4, dtype=torch.bool)
    moved = {}
    for tied in (True, False):
        torch.manual_seed(0)
        encoder = DeepSetsEquivariant(SetSpec(3, 4), latent=5, width=6, tied=tied).double()
        moved[tied] = float((encoder(elements + 1, mask) - encoder(elements, mask)).detach().norm())
    assert moved[True] < 1e-13
    assert moved[False] > 1e-3
