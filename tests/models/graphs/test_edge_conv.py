"""EdgeConv, against a loop over elements and their neighbours."""

import torch

from setbench.models.graphs.edge_conv import EdgeConv
from setbench.models.interfaces import SetSpec


def test_knn_layers_by_loops():
    torch.manual_seed(0)
    encoder = EdgeConv(SetSpec(3, 7, slice(0, 2)), 4, 8, graph="knn", neighbours=3).double()
    elements = torch.rand(1, 7, 3, dtype=torch.double)
    x = elements[0]
    states = encoder.embed(x)
    near = [sorted(range(7), key=lambda j: (x[i, :2] - x[j, :2]).norm().item())[:4] for i in range(7)]
    for layer in encoder.convolutions:
        states = torch.stack(
            [
                torch.stack([layer.nn(torch.cat([states[i], states[j] - states[i]])) for j in near[i]]).amax(dim=0)
                for i in range(7)
            ]
        ).relu()
    code = encoder(elements, torch.ones(1, 7, dtype=torch.bool))
    torch.testing.assert_close(code[0], encoder.rho(states.mean(dim=0)))


def test_a_lone_element_is_not_forgotten():
    encoder = EdgeConv(SetSpec(2, 5), 4, 16)
    alone = torch.ones(2, 1, dtype=torch.bool)
    first, second = encoder(torch.tensor([[[0.1, 0.9]], [[0.8, 0.2]]]), alone)
    assert (first - second).abs().max() > 1e-3


def test_dynamic_layers_by_loops_find_neighbours_in_the_features_before_them():
    torch.manual_seed(0)
    encoder = EdgeConv(SetSpec(3, 9, slice(0, 2)), 4, 8, graph="dynamic", neighbours=3, layers=3).double()
    elements, sizes = torch.rand(2, 9, 3, dtype=torch.double), (9, 6)
    code = encoder(elements, torch.arange(9)[None] < torch.tensor(sizes)[:, None])
    changed = False
    for b, n in enumerate(sizes):
        x = elements[b, :n]
        states, near = encoder.embed(x), x[:, :2]
        for layer in encoder.convolutions:
            around = [sorted(range(n), key=lambda j: (near[i] - near[j]).norm().item())[:4] for i in range(n)]
            states = torch.stack(
                [
                    torch.stack([layer.nn(torch.cat([states[i], states[j] - states[i]])) for j in around[i]]).amax(0)
                    for i in range(n)
                ]
            ).relu()
            near = states
            first = [sorted(range(n), key=lambda j: (x[i, :2] - x[j, :2]).norm().item())[:4] for i in range(n)]
            changed |= [set(a) for a in around] != [set(a) for a in first]
        torch.testing.assert_close(code[b], encoder.rho(states.mean(dim=0)))
    assert changed  # the graph of features is another than that of positions


def test_the_complete_graph_hears_those_that_are_far():
    torch.manual_seed(0)
    spec = SetSpec(2, 6, slice(0, 2))
    complete, near, all_others = (
        EdgeConv(spec, 4, 8, graph=graph, neighbours=count)
        for graph, count in (("complete", 1), ("knn", 1), ("knn", 5))
    )
    for other in (near, all_others):
        other.load_state_dict(complete.state_dict())
    elements = torch.rand(3, 6, 2)
    torch.testing.assert_close(complete(elements), all_others(elements))
    assert (complete(elements) - near(elements)).abs().max() > 1e-3
