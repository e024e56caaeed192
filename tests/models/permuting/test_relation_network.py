"""Relation network against a double loop, its chunks, and PyTorch's own unsplit layer."""

import pytest
import torch

from setbench.models.interfaces import SetSpec
from setbench.models.ops import layers
from setbench.models.permuting.relation_network import RelationNetwork


@pytest.mark.parametrize("chunk", [2**24, 30])
@pytest.mark.parametrize("pool", ["mean", "sum"])
@pytest.mark.parametrize("depth", [1, 3])
def test_equals_the_loop_over_all_pairs(depth, pool, chunk, monkeypatch):
    monkeypatch.setattr(layers, "CHUNK", chunk)
    torch.manual_seed(0)
    encoder = RelationNetwork(SetSpec(3, 4), latent=5, width=6, depth=depth, pool=pool).double()
    elements = torch.randn(3, 4, 3, dtype=torch.float64)
    sizes = [4, 2, 0]
    expected = []
    for x, n in zip(elements, sizes, strict=True):
        pairs = [encoder.deeper(encoder.first.joint(torch.cat([x[i], x[j]]))) for i in range(n) for j in range(n)]
        total = sum(pairs, torch.zeros(6, dtype=torch.float64))
        expected.append(encoder.rho(total / max(1, n * n) if pool == "mean" else total))
    mask = torch.arange(4) < torch.tensor(sizes)[:, None]
    torch.testing.assert_close(encoder(elements, mask), torch.stack(expected), rtol=0, atol=1e-13)
