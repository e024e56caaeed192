"""Maron's maps between elements and pairs, against their definition by partitions of three indices and by loops."""

import itertools

import pytest
import torch
from torch import Tensor

from setbench.models.graphs.one_to_two import OneToTwo
from setbench.models.graphs.two_to_one import TwoToOne


def partitions(m: int) -> Tensor:
    """Of each partition of (i, j, k), the 0-1 tensor of the index triples that it describes, [maps, m, m, m]."""
    tensors: dict[tuple, Tensor] = {}
    for i, j, k in itertools.product(range(m), repeat=3):
        indices = (i, j, k)
        pattern = tuple(indices.index(x) for x in indices)
        tensors.setdefault(pattern, torch.zeros(m, m, m, dtype=torch.double))[i, j, k] = 1
    return torch.stack(list(tensors.values()))


def operators(kind: type, m: int) -> Tensor:
    """Each of the layer's maps as a tensor [maps, pairs' i, pairs' j, element]."""
    layer = kind(1, 5).double()
    with torch.no_grad():
        layer.coefficients.copy_(torch.eye(5)[:, None])
    if kind is TwoToOne:
        units = torch.eye(m * m, dtype=torch.double).reshape(m * m, m, m, 1)
        images = layer(units, torch.ones(m * m, m, dtype=torch.bool)).detach()  # [pair, element, map]
        return images.movedim(2, 0).reshape(5, m, m, m)
    units = torch.eye(m, dtype=torch.double)[..., None]
    return layer(units, torch.ones(m, m, dtype=torch.bool)).detach().permute(3, 1, 2, 0)


@pytest.mark.parametrize("kind", [TwoToOne, OneToTwo])
@pytest.mark.parametrize(("m", "rank"), [(1, 1), (2, 4), (3, 5), (5, 5)])
def test_the_maps_span_all_that_equivariance_allows(kind, m, rank):
    ours, definition = operators(kind, m).flatten(1), partitions(m).flatten(1)
    assert len(definition) == rank
    assert torch.linalg.matrix_rank(ours) == rank
    assert torch.linalg.matrix_rank(torch.cat([ours, definition])) == rank


def test_pairs_to_elements_by_loops():
    torch.manual_seed(0)
    layer, m = TwoToOne(3, 4).double(), 5
    with torch.no_grad():
        layer.bias.normal_()
    x, w = torch.randn(m, m, 3, dtype=torch.double), layer.coefficients
    trace, total = sum(x[i, i] for i in range(m)) / m, sum(x[i, j] for i in range(m) for j in range(m)) / m**2
    wanted = torch.stack(
        [
            x[i, i] @ w[0]
            + sum(x[i, j] for j in range(m)) / m @ w[1]
            + sum(x[j, i] for j in range(m)) / m @ w[2]
            + trace @ w[3]
            + total @ w[4]
            + layer.bias
            for i in range(m)
        ]
    )
    padded = torch.zeros(1, 7, 7, 3, dtype=torch.double)
    padded[0, :m, :m] = x
    result = layer(padded, torch.arange(7)[None] < m)
    torch.testing.assert_close(result[0, :m], wanted)
    assert result[0, m:].abs().max() == 0


def test_elements_to_pairs_by_loops():
    torch.manual_seed(0)
    layer, m = OneToTwo(3, 4).double(), 5
    with torch.no_grad():
        layer.bias.normal_()
        layer.diagonal_bias.normal_()
    x, w = torch.randn(m, 3, dtype=torch.double), layer.coefficients
    mean = sum(x[i] for i in range(m)) / m
    wanted = torch.zeros(m, m, 4, dtype=torch.double)
    for i, j in itertools.product(range(m), repeat=2):
        wanted[i, j] = x[i] @ w[2] + x[j] @ w[3] + mean @ w[4] + layer.bias
        if i == j:
            wanted[i, j] += x[i] @ w[0] + mean @ w[1] + layer.diagonal_bias
    padded = torch.zeros(1, 7, 3, dtype=torch.double)
    padded[0, :m] = x
    result = layer(padded, torch.arange(7)[None] < m)
    torch.testing.assert_close(result[0, :m, :m], wanted)
    assert result[0, m:].abs().max() == result[0, :, m:].abs().max() == 0


@pytest.mark.parametrize("kind", [TwoToOne, OneToTwo])
def test_a_permutation_passes_through(kind):
    torch.manual_seed(0)
    layer, order = kind(2, 3).double(), torch.tensor([2, 4, 0, 3, 1])
    mask = torch.tensor([[True, True, False, True, True]])
    shape = (1, 5, 5, 2) if kind is TwoToOne else (1, 5, 2)
    real = mask[:, :, None, None] & mask[:, None, :, None] if kind is TwoToOne else mask[..., None]
    x = torch.randn(shape, dtype=torch.double).masked_fill(~real, 0)
    y, moved = layer(x, mask), x[:, order]
    if kind is TwoToOne:
        torch.testing.assert_close(layer(moved[:, :, order], mask[:, order]), y[:, order])
    else:
        torch.testing.assert_close(layer(moved, mask[:, order]), y[:, order][:, :, order])
