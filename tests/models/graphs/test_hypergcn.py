"""HyperGCN, against hyperedges and weights gathered in dictionaries."""

import pytest
import torch
from torch import Tensor

from setbench.models.graphs.hypergcn import HyperGCN
from setbench.models.interfaces import SetSpec


def adjacency_by_loops(x: Tensor, direction: Tensor, neighbours: int, mediators: bool) -> Tensor:
    """Of the paper, section 4: one set, one hyperedge an element, distances on features 0 and 1."""
    n = len(x)
    weights: dict[frozenset, float] = {}
    for i in range(n):
        others = sorted((j for j in range(n) if j != i), key=lambda j: (x[i, :2] - x[j, :2]).norm().item())
        edge = [i, *others[:neighbours]]
        along = {j: (x[j] @ direction).item() for j in edge}
        ends = max(edge, key=along.get), min(edge, key=along.get)
        if ends[0] == ends[1]:
            continue
        pairs = [ends]
        if mediators:
            pairs += [(end, j) for j in edge if j not in ends for end in ends]
        for pair in pairs:
            weight = 1 / (2 * len(edge) - 3) if mediators else 1 / len(edge)
            weights[frozenset(pair)] = weights.get(frozenset(pair), 0) + weight
    dense = torch.eye(n, dtype=x.dtype)
    for pair, weight in weights.items():
        i, j = pair
        dense[i, j] = dense[j, i] = weight
    scale = torch.diag(dense.sum(dim=1) ** -0.5)
    return scale @ dense @ scale


@pytest.mark.parametrize("mediators", [True, False])
def test_two_layers_by_loops(mediators):
    torch.manual_seed(0)
    encoder = HyperGCN(SetSpec(3, 8, slice(0, 2)), 4, 8, neighbours=3, mediators=mediators).double()
    elements, sizes = torch.rand(4, 8, 3, dtype=torch.double), (8, 5, 2, 1)
    code = encoder(elements, torch.arange(8)[None] < torch.tensor(sizes)[:, None])
    for b, n in enumerate(sizes):
        joined = adjacency_by_loops(elements[b, :n], encoder.direction, 3, mediators)
        states = elements[b, :n]
        for layer in encoder.layers:
            states = (joined @ states @ layer.weight.T + layer.bias).relu()
        torch.testing.assert_close(code[b], encoder.rho(states.mean(dim=0)))


def test_the_direction_is_saved_with_the_weights():
    encoder, other = HyperGCN(SetSpec(3, 8), 4, 8), HyperGCN(SetSpec(3, 8), 4, 8)
    assert not torch.equal(encoder.direction, other.direction)
    other.load_state_dict(encoder.state_dict())
    assert torch.equal(encoder.direction, other.direction)


def test_elements_that_tie_along_the_direction_are_told_apart_by_content():
    torch.manual_seed(0)
    encoder = HyperGCN(SetSpec(2, 9), 4, 8, neighbours=3).double()
    encoder.direction.copy_(torch.tensor([1.0, 0.0]))
    grid = torch.cartesian_prod(torch.arange(3.0), torch.arange(3.0)).double()[None]
    full = torch.ones(1, 9, dtype=torch.bool)
    codes = torch.cat([encoder(grid[:, torch.randperm(9)], full) for _ in range(20)])
    torch.testing.assert_close(codes, codes[:1].expand(20, -1), rtol=0, atol=0)
