"""The 15 equivariant maps, against their definition by partitions of four indices and against plain formulas."""

import itertools

import pytest
import torch
from torch import Tensor

from setbench.models.graphs.two_to_two import TwoToTwo


def operators(m: int) -> Tensor:
    """Each of the layer's maps as a matrix of m^2 by m^2."""
    layer = TwoToTwo(1, 15).double()
    with torch.no_grad():
        layer.coefficients.copy_(torch.eye(15)[:, None])
    units = torch.eye(m * m, dtype=torch.double).reshape(m * m, m, m, 1)
    images = layer(units, torch.ones(m * m, m, dtype=torch.bool))
    return images.flatten(1, 2).permute(2, 1, 0).detach()


def partitions(m: int) -> Tensor:
    """The definition: of each partition of (i, j, k, l), the 0-1 matrix of the index tuples that it describes."""
    matrices: dict[tuple, Tensor] = {}
    for number, indices in enumerate(itertools.product(range(m), repeat=4)):
        pattern = tuple(indices.index(i) for i in indices)
        matrices.setdefault(pattern, torch.zeros(m**4, dtype=torch.double))[number] = 1
    return torch.stack(list(matrices.values())).reshape(-1, m * m, m * m)


@pytest.mark.parametrize(("m", "rank"), [(2, 8), (3, 14), (4, 15), (5, 15)])
def test_the_maps_span_all_that_equivariance_allows(m, rank):
    """Bell(4) = 15 from four elements on; below that some partitions describe no tuple."""
    ours, definition = operators(m).flatten(1), partitions(m).flatten(1)
    assert len(definition) == rank
    assert torch.linalg.matrix_rank(ours) == rank
    assert torch.linalg.matrix_rank(torch.cat([ours, definition])) == rank


def test_each_map_by_its_formula():
    torch.manual_seed(0)
    layer, m = TwoToTwo(3, 4).double(), 5
    with torch.no_grad():
        layer.bias.normal_()
        layer.diagonal_bias.normal_()
    x = torch.randn(m, m, 3, dtype=torch.double)
    identity, ones = torch.eye(m, dtype=torch.double), torch.ones(m, dtype=torch.double)
    d, t, s = torch.einsum("iid->id", x), torch.einsum("iid->d", x) / m, x.sum((0, 1)) / m**2
    r, c = torch.einsum("ijd->id", x) / m, torch.einsum("ijd->jd", x) / m
    maps = [
        torch.einsum("ij,id->ijd", identity, d),
        torch.einsum("ij,d->ijd", identity, t),
        torch.einsum("ij,id->ijd", identity, r),
        torch.einsum("ij,id->ijd", identity, c),
        torch.einsum("ij,d->ijd", identity, s),
        *(torch.einsum(f"{at}d,i,j->ijd", v, ones, ones) for v in (r, c) for at in "ij"),
        x,
        torch.einsum("jid->ijd", x),
        *(torch.einsum(f"{at}d,i,j->ijd", d, ones, ones) for at in "ij"),
        torch.einsum("d,i,j->ijd", t, ones, ones),
        torch.einsum("d,i,j->ijd", s, ones, ones),
    ]
    wanted = sum(image @ w for image, w in zip(maps, layer.coefficients, strict=True))
    wanted = wanted + layer.bias + identity[..., None] * layer.diagonal_bias
    padded = torch.zeros(1, 7, 7, 3, dtype=torch.double)
    padded[0, :m, :m] = x
    result = layer(padded, torch.arange(7)[None] < m)
    torch.testing.assert_close(result[0, :m, :m], wanted)
    assert result[0, m:].abs().max() == result[0, :, m:].abs().max() == 0
