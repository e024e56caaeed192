"""PointNet++ against loops in numpy, and bit for bit on symmetric sets where every distance ties."""

import numpy as np
import pytest
import torch

from setbench.models.interfaces import SetSpec
from setbench.models.permuting.pointnet_plus_plus import PointNetPlusPlus, SetAbstraction, farthest_points


def numpy_farthest(points, count):
    taken = [int(np.argmax(((points - points.mean(axis=0)) ** 2).sum(axis=1)))]
    while len(taken) < count:
        nearest = [min(((p - points[t]) ** 2).sum() for t in taken) for p in points]
        taken.append(int(np.argmax(nearest)))
    return taken


def test_farthest_points_against_numpy():
    points = torch.randn(2, 9, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    mask = torch.arange(9) < torch.tensor([[9], [6]])
    found = farthest_points(points, mask, 4)
    for x, n, chosen in zip(points.numpy(), (9, 6), found.tolist(), strict=True):
        assert chosen == numpy_farthest(x[:n], 4)


def test_level_against_loops():
    torch.manual_seed(0)
    level = SetAbstraction(axes=2, features=1, width=5, stride=2, neighbours=3).double()
    points, features = torch.randn(2, 7, 2, dtype=torch.float64), torch.randn(2, 7, 1, dtype=torch.float64)
    sizes = (7, 4)
    mask = torch.arange(7) < torch.tensor(sizes)[:, None]
    centres, found, kept = level(points, features, mask)
    assert kept.sum(dim=1).tolist() == [4, 2]  # a half, rounded up
    for b, n in enumerate(sizes):
        for position, i in enumerate(numpy_farthest(points[b, :n].numpy(), -(-n // 2))):
            torch.testing.assert_close(centres[b, position], points[b, i])
            near = (points[b, :n] - points[b, i]).square().sum(dim=1).argsort()[:3]
            inputs = torch.cat([points[b, near] - points[b, i], features[b, near]], dim=1)
            torch.testing.assert_close(found[b, position], level.network(inputs).max(dim=0).values)


def test_a_symmetric_set_has_one_code_in_every_order_bit_for_bit():
    torch.manual_seed(0)
    encoder = PointNetPlusPlus(SetSpec(3, 9, slice(0, 2)), latent=4, width=6, neighbours=3).double()
    grid = torch.cartesian_prod(torch.arange(3.0), torch.arange(3.0)).double()
    elements = torch.cat([grid, torch.tensor([0, 1, 0, 1, 0, 1, 0, 1, 0.0])[:, None]], dim=1)[None]
    mask = torch.ones(1, 9, dtype=torch.bool)
    code = encoder(elements, mask)
    for seed in range(20):
        order = torch.randperm(9, generator=torch.Generator().manual_seed(seed))
        assert torch.equal(encoder(elements[:, order], mask), code)


def test_sets_without_positions_are_refused():
    with pytest.raises(ValueError, match="have positions"):
        PointNetPlusPlus(SetSpec(3, 9), latent=4, width=6)
