"""GIN on the complete graph, against the formula with a dense adjacency."""

import pytest
import torch

from setbench.models.graphs.gin import GIN
from setbench.models.interfaces import SetSpec


@pytest.mark.parametrize("aggregate", ["mean", "sum"])
def test_two_layers_by_dense_matrices(aggregate):
    torch.manual_seed(0)
    encoder = GIN(SetSpec(3, 6), 4, 8, aggregate=aggregate).double()
    with torch.no_grad():
        encoder.convolutions[0].eps.fill_(0.3)
    elements, sizes = torch.rand(2, 6, 3, dtype=torch.double), (6, 4)
    mask = torch.arange(6)[None] < torch.tensor(sizes)[:, None]
    code = encoder(elements, mask)
    for b, n in enumerate(sizes):
        joined = 1 - torch.eye(n, dtype=torch.double)
        if aggregate == "mean":
            joined = joined / (n - 1)
        states = encoder.embed(elements[b, :n])
        for layer in encoder.convolutions:
            states = layer.nn((1 + layer.eps) * states + joined @ states).relu()
        torch.testing.assert_close(code[b], encoder.rho(states.mean(dim=0)))
