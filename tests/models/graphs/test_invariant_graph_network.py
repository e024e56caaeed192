"""The invariant graph network, against the tensor written out entry by entry."""

import pytest
import torch

from setbench.models.graphs.invariant_graph_network import InvariantGraphNetwork
from setbench.models.interfaces import SetSpec
from setbench.models.ops.edges import distance


@pytest.mark.parametrize("pool", ["max", "mean"])
def test_pairs_entry_by_entry(pool):
    torch.manual_seed(0)
    encoder = InvariantGraphNetwork(SetSpec(3, 5, slice(1, 3)), 4, 8, layers=1, pool=pool).double()
    x = torch.rand(5, 3, dtype=torch.double)
    pairs = torch.zeros(5, 5, 3 + 2 + 1, dtype=torch.double)
    for i in range(5):
        pairs[i, i, :3] = x[i]
        for j in range(5):
            pairs[i, j, 3:5] = x[j, 1:] - x[i, 1:]
            pairs[i, j, 5:] = distance(x[j, 1:] - x[i, 1:])
    full = torch.ones(1, 5, dtype=torch.bool)
    state = encoder.layers[0](pairs[None], full)[0].relu()
    own = torch.stack([state[i, i] for i in range(5)])
    others = torch.stack([state[i, j] for i in range(5) for j in range(5) if i != j])
    pooled = [v.amax(0) if pool == "max" else v.mean(0) for v in (own, others)]
    torch.testing.assert_close(encoder(x[None], full)[0], encoder.rho(torch.cat(pooled)))


def test_two_elements_that_swap_features_are_told_from_two_that_do_not():
    """Off the diagonal the network sees pairs: {(0, 0), (1, 1)} is not {(0, 1), (1, 0)}, though all means agree."""
    torch.manual_seed(0)
    encoder = InvariantGraphNetwork(SetSpec(2, 2), 4, 8, pool="mean")
    full = torch.ones(1, 2, dtype=torch.bool)
    straight, crossed = (encoder(torch.tensor([s]), full) for s in ([[0.0, 0], [1, 1]], [[0.0, 1], [1, 0]]))
    assert (straight - crossed).abs().max() > 1e-3
