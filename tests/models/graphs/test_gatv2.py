"""GATv2 on the complete graph, against the formula on dense tensors."""

import torch

from setbench.models.graphs.gatv2 import GATv2
from setbench.models.interfaces import SetSpec
from setbench.models.ops.edges import distance


def test_two_layers_by_dense_tensors():
    torch.manual_seed(0)
    encoder = GATv2(SetSpec(3, 6, slice(0, 2)), 4, 8, heads=2).double()
    elements, sizes = torch.rand(2, 6, 3, dtype=torch.double), (6, 4)
    code = encoder(elements, torch.arange(6)[None] < torch.tensor(sizes)[:, None])
    for b, n in enumerate(sizes):
        x = elements[b, :n]
        difference = x[None, :, :2] - x[:, None, :2]  # [i, j]: from i to j
        edges = torch.cat([difference, distance(difference)], dim=-1)
        states = encoder.embed(x)
        for layer in encoder.convolutions:
            source, target, edge = layer.lin_l(states), layer.lin_r(states), layer.lin_edge(edges)
            mixed = (source[None] + target[:, None] + edge).unflatten(-1, (2, 4))
            scores = (torch.nn.functional.leaky_relu(mixed, 0.2) * layer.att[0]).sum(dim=-1)
            heard = torch.einsum("ijh,jhc->ihc", scores.softmax(dim=1), source.unflatten(-1, (2, 4)))
            states = (heard.flatten(1) + layer.res(states) + layer.bias).relu()
        torch.testing.assert_close(code[b], encoder.rho(states.mean(dim=0)))
