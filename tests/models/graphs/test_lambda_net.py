"""Messages along triplets, against a loop over elements, neighbours and slots."""

import itertools

import pytest
import torch

from setbench.models.graphs.lambda_net import LambdaNet
from setbench.models.interfaces import SetSpec


def test_two_rounds_by_loops():
    torch.manual_seed(0)
    encoder = LambdaNet(SetSpec(3, 7, slice(1, 3)), 4, 8, neighbours=3).double()
    elements, sizes = torch.rand(4, 7, 3, dtype=torch.double), (7, 3, 2, 1)
    code = encoder(elements, torch.arange(7)[None] < torch.tensor(sizes)[:, None])
    for b, n in enumerate(sizes):
        x = elements[b, :n]
        triplets = []
        for i in range(n):
            others = sorted((j for j in range(n) if j != i), key=lambda j: (x[i, 1:] - x[j, 1:]).norm().item())
            triplets += [(i, *pair) for pair in itertools.combinations(others[:3], 2)]
        states = encoder.embed(x)
        for layer in encoder.layers:
            heard = [[states[i]] for i in range(n)]
            for triplet in triplets:
                hidden = layer.hidden.joint(torch.cat([states[j] for j in triplet])).relu().chunk(3)
                for slot, member in enumerate(triplet):
                    heard[member].append(layer.messages[slot](hidden[slot]))
            updated = []
            for i in range(n):
                messages = torch.stack(heard[i])
                scores = torch.nn.functional.leaky_relu(messages @ layer.query(states[i]) / 8**0.5, 0.2)
                updated.append(states[i] + scores.softmax(dim=0) @ messages)
            states = torch.stack(updated)
        torch.testing.assert_close(code[b], encoder.rho(states.mean(dim=0)))


def test_fewer_than_two_neighbours_are_refused():
    with pytest.raises(ValueError, match="two neighbours, not 1"):
        LambdaNet(SetSpec(3, 7), 4, 8, neighbours=1)
