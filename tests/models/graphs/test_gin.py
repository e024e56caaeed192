"""GIN on the complete graph, against the formula with a dense adjacency."""

import pytest
import torch

from setbench.models.graphs.gin import GIN
from setbench.models.interfaces import SetSpec


@pytest.mark.parametrize("aggr", ["mean", "sum"])
def test_two_layers_by_dense_matrices(aggr):
    torch.manual_seed(0)
    encoder = GIN(SetSpec(3, 6), 4, 8, aggr=aggr).double()
    with torch.no_grad():
        encoder.convolutions[0].eps.fill_(0.3)
    elements, sizes = torch.rand(2, 6, 3, dtype=torch.double), (6, 4)
    mask = torch.arange(6)[None] < torch.tensor(sizes)[:, None]
    code = encoder(elements, mask)
    for b, n in enumerate(sizes):
        joined = 1 - torch.eye(n, dtype=torch.double)
        if aggr == "mean":
            joined = joined / (n - 1)
        states = encoder.embed(elements[b, :n])
        for layer in encoder.convolutions:
            states = layer.nn((1 + layer.eps) * states + joined @ states).relu()
        torch.testing.assert_close(code[b], encoder.rho(states.mean(dim=0)))


def test_the_sum_counts_and_the_mean_does_not():
    """Three equal elements and six: the multisets that the theorem says GIN tells apart."""
    zeros, full = torch.zeros(1, 6, 1).double(), torch.ones(1, 6, dtype=torch.bool)
    moved = {}
    for aggr in ("sum", "mean"):
        torch.manual_seed(0)
        encoder = GIN(SetSpec(1, 6), 4, 8, aggr=aggr).double()
        moved[aggr] = (encoder(zeros[:, :3], full[:, :3]) - encoder(zeros, full)).abs().max()
    assert moved["mean"] < 1e-12
    assert moved["sum"] > 1e-3
    assert GIN(SetSpec(1, 6), 4, 8).aggr == "sum"
