"""Equivariant Janossy layers against their definition: a loop over the tuples that start with each element."""

from itertools import permutations

import pytest
import torch

from setbench.models.interfaces import SetSpec
from setbench.models.permuting.janossy_equivariant import JanossyEquivariant, JanossyLayer

SIZES = (4, 3, 1, 0)


def scattered_batch():
    """Sets of these sizes whose real elements stand anywhere."""
    torch.manual_seed(1)
    elements = torch.randn(len(SIZES), 4, 3, dtype=torch.float64)
    mask = torch.arange(4) < torch.tensor(SIZES)[:, None]
    order = torch.rand(mask.shape).argsort(dim=1)
    return elements, mask.take_along_dim(order, dim=1)


@pytest.mark.parametrize("phi", ["mlp", "lstm"])
@pytest.mark.parametrize("k", [1, 2, 3])
def test_layer_equals_the_mean_over_tuples_that_start_with_the_element(k, phi):
    torch.manual_seed(0)
    layer = JanossyLayer(3, 5, 4, k, phi).double()
    elements, mask = scattered_batch()
    found = layer(elements, mask)
    for x, real, rows in zip(elements, mask, found, strict=True):
        members = real.nonzero().flatten().tolist()
        for i in members:
            values = []
            for rest in permutations([j for j in members if j != i], min(k, len(members)) - 1):
                chosen = torch.zeros(k, 3, dtype=torch.float64)
                chosen[: 1 + len(rest)] = x[[i, *rest]]
                if phi == "mlp":
                    values.append(layer.phi.network.layer.joint(chosen.flatten()).relu())
                else:
                    values.append(layer.phi.network.last_state.rnn(chosen)[0][-1])
            torch.testing.assert_close(rows[i], layer.output(torch.stack(values).mean(dim=0)), rtol=0, atol=1e-13)


@pytest.mark.parametrize("k", [2, 3, "N"])
def test_layer_is_equivariant(k):
    torch.manual_seed(0)
    layer = JanossyLayer(3, 5, 4, k, "mlp").double()
    elements, mask = scattered_batch()
    order = torch.tensor([2, 0, 3, 1])
    permuted = layer(elements[:, order], mask[:, order])
    torch.testing.assert_close(permuted, layer(elements, mask)[:, order], rtol=0, atol=1e-13)


def test_stack_is_its_layers_and_a_mean():
    torch.manual_seed(0)
    encoder = JanossyEquivariant(SetSpec(3, 4), latent=5, width=6, layers=2).double()
    elements, mask = scattered_batch()
    hidden = encoder.layers[1](encoder.layers[0](elements, mask).relu(), mask).relu()
    mean = torch.stack([h[real].sum(dim=0) / max(1, int(real.sum())) for h, real in zip(hidden, mask, strict=True)])
    torch.testing.assert_close(encoder(elements, mask), encoder.output(mean), rtol=0, atol=1e-13)
