"""The graphs of padded sets, against loops over elements."""

import torch
from torch import Tensor

from setbench.models.graphs.gin import GIN
from setbench.models.interfaces import SetSpec
from setbench.models.ops.by_content import by_content
from setbench.models.ops.by_sets import by_sets
from setbench.models.ops.neighbours import nearest
from setbench.models.ops.set_graph import complete_graph, neighbour_graph


def ragged_masks(*sizes: int, size: int) -> Tensor:
    return torch.arange(size)[None] < torch.tensor(sizes)[:, None]


def edges_by_content(nodes: Tensor, edge_index: Tensor) -> list[tuple]:
    """Edges as pairs of contents, so that the numbering of the nodes does not matter."""
    return sorted((tuple(nodes[j].tolist()), tuple(nodes[i].tolist())) for j, i in edge_index.t().tolist())


def test_complete_graph_joins_all_of_a_set_and_nothing_else():
    elements = torch.rand(4, 5, 2)
    for sizes in ((5, 5, 5, 5), (0, 1, 3, 5)):
        for loops in (False, True):
            graph = complete_graph(elements, ragged_masks(*sizes, size=5), loops)
            wanted = [
                (tuple(s[j].tolist()), tuple(s[i].tolist()))
                for s, n in zip(elements, sizes, strict=True)
                for i in range(n)
                for j in range(n)
                if loops or i != j
            ]
            assert edges_by_content(graph.nodes, graph.edge_index) == sorted(wanted)
            assert torch.bincount(graph.batch, minlength=4).tolist() == list(sizes)
            assert (graph.edge_index[1].diff() >= 0).all()


def test_neighbour_graph_takes_the_nearest_in_position():
    spec = SetSpec(3, 6, slice(0, 2))
    elements, sizes = torch.rand(3, 6, 3), (6, 2, 4)
    graph = neighbour_graph(spec, elements, ragged_masks(*sizes, size=6), neighbours=3)
    wanted = []
    for s, n in zip(elements, sizes, strict=True):
        for i in range(n):
            near = sorted((j for j in range(n) if j != i), key=lambda j: (s[i, :2] - s[j, :2]).norm().item())
            wanted += [(tuple(s[j].tolist()), tuple(s[i].tolist())) for j in near[:3]]
    assert edges_by_content(graph.nodes, graph.edge_index) == sorted(wanted)


def test_nearest_is_a_stable_sort_even_where_most_distances_tie():
    torch.manual_seed(0)
    grid = torch.randint(0, 3, (8, 12, 2)).double()  # twelve points on nine places
    mask = ragged_masks(12, 12, 7, 3, 2, 1, 0, 12, size=12)
    chosen, real = nearest(grid, mask, k=4)
    for b in range(8):
        for i in range(12):
            others = [j for j in range(12) if j != i and mask[b, j] and mask[b, i]]
            wanted = sorted(others, key=lambda j: ((grid[b, i] - grid[b, j]).square().sum().item(), j))[:4]
            assert chosen[b, i][real[b, i]].tolist() == wanted


def test_ties_are_settled_by_content_not_by_order():
    spec = SetSpec(3, 9, slice(0, 2))
    elements = torch.cat([torch.cartesian_prod(torch.arange(3.0), torch.arange(3.0)), torch.rand(9, 1)], dim=1)
    mask = torch.ones(1, 9, dtype=torch.bool)
    seen = set()
    for _ in range(20):
        graph = neighbour_graph(spec, elements[None, torch.randperm(9)], mask, neighbours=2)
        seen.add(tuple(edges_by_content(graph.nodes, graph.edge_index)))
    assert len(seen) == 1


def test_order_by_content_is_lexicographic_with_padding_last():
    elements = torch.randint(0, 2, (5, 8, 3)).float()
    mask = torch.rand(5, 8) < 0.6
    ordered, real = by_content(elements, mask)
    for b in range(5):
        assert ordered[b][real[b]].tolist() == sorted(elements[b][mask[b]].tolist())
        assert real[b].tolist() == sorted(mask[b].tolist(), reverse=True)


def test_chunks_change_neither_value_nor_second_derivative(monkeypatch):
    def encode(elements: Tensor, mask: Tensor) -> Tensor:
        return (elements.tanh() * mask[..., None]).sum(dim=1).square()

    def measured(numbers: int) -> tuple[Tensor, Tensor]:
        elements = torch.linspace(-1, 1, 30, dtype=torch.double).reshape(5, 3, 2).requires_grad_()
        code = by_sets(encode, elements, torch.ones(5, 3, dtype=torch.bool), numbers)
        (slope,) = torch.autograd.grad(code.sum(), elements, create_graph=True)
        (curve,) = torch.autograd.grad(slope.square().sum(), elements)
        return code, curve

    whole = measured(numbers=1)
    monkeypatch.setattr("setbench.models.ops.layers.CHUNK", 2)
    for mine, theirs in zip(measured(numbers=1), whole, strict=True):
        torch.testing.assert_close(mine, theirs)


def test_a_graph_first_asked_for_under_inference_mode_serves_gradients_later():
    encoder, full = GIN(SetSpec(2, 3), 4, 8), torch.ones(7, 3, dtype=torch.bool)
    elements = torch.rand(7, 3, 2, requires_grad=True)
    with torch.inference_mode():
        seen = encoder(elements.detach().clone(), full)
    code = encoder(elements, full)
    torch.testing.assert_close(code.detach(), seen.clone())
    (slope,) = torch.autograd.grad(code.sum(), elements)
    assert slope.abs().sum() > 0
