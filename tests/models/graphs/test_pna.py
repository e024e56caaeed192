"""PNA on the complete graph, against the formula on dense tensors."""

import math

import torch

from setbench.models.graphs.pna import PNA
from setbench.models.interfaces import SetSpec
from setbench.models.ops.edges import distance


def test_two_layers_by_dense_tensors():
    torch.manual_seed(0)
    encoder = PNA(SetSpec(3, 6, slice(1, 3)), 4, 8).double()
    # Sets of 2..6 equally often: sizes weighted by themselves, since a set of n has n nodes.
    usual = sum(n * math.log(n) for n in range(2, 7)) / sum(range(2, 7))
    elements, sizes = torch.rand(2, 6, 3, dtype=torch.double), (6, 4)
    code = encoder(elements, torch.arange(6)[None] < torch.tensor(sizes)[:, None])
    for b, n in enumerate(sizes):
        x = elements[b, :n]
        difference = x[None, :, 1:] - x[:, None, 1:]
        edges = torch.cat([difference, distance(difference)], dim=-1)
        others = torch.tensor([[j for j in range(n) if j != i] for i in range(n)])
        states = encoder.embed(x)
        for layer in encoder.convolutions:
            edge = layer.edge_encoder(edges)
            pair = torch.cat([states[:, None].expand(n, n, 8), states[None].expand(n, n, 8), edge], dim=-1)
            messages = layer.pre_nns[0](pair).take_along_dim(others[..., None], dim=1)
            deviation = messages.var(dim=1, correction=0).clamp(min=1e-5).sqrt()
            deviation = torch.where(deviation <= math.sqrt(1e-5), 0.0, deviation)
            pooled = torch.cat([messages.mean(1), messages.amin(1), messages.amax(1), deviation], dim=-1)
            scaled = [pooled, pooled * (math.log(n) / usual), pooled * (usual / math.log(n))]
            states = layer.lin(layer.post_nns[0](torch.cat([states, *scaled], dim=-1))).relu()
        torch.testing.assert_close(code[b], encoder.rho(states.mean(dim=0)), rtol=1e-6, atol=1e-6)
