"""Codes that are read in pieces are those of the whole set, for encoders that can; others say that they cannot."""

import pytest
import torch

from setbench.bench.experiments.chunks import ENCODERS, SPEC, draw_sets, label
from setbench.bench.experiments.pieces import reader
from setbench.models.catalogue import parse

CAN = {
    "deep_sets": "once",
    "deep_sets:pool=sum": "once",
    "deep_sets:pool=max": "once",
    "janossy:k=1": "once",
    "janossy:k=2": "every two pieces",
    "pointnet": "once",
    "set2set": "5 times",
}


def built(name: str):
    torch.manual_seed(0)
    spec = parse(name, ("encoder",))
    return spec.entry.load()(SPEC, 6, 8, **spec.options).double()


@pytest.mark.parametrize("name", CAN)
@pytest.mark.parametrize("sizes", [(12,), (5, 7), (1, 4, 2, 5)], ids=str)
def test_pieces_give_the_whole_code(name, sizes):
    encoder = built(name)
    elements = torch.randn(3, 12, 2, dtype=torch.float64)
    read, often = reader(encoder)
    assert often == CAN[name]
    torch.testing.assert_close(read(elements.split(sizes, dim=1)), encoder(elements), rtol=0, atol=1e-12)


@pytest.mark.parametrize("name", sorted(set(ENCODERS) - set(CAN)))
def test_the_others_have_no_reader(name):
    assert reader(built(name)) is None


def test_the_label_is_the_farthest_pair_by_brute_force():
    sets = draw_sets(4, torch.Generator().manual_seed(0))
    for points, found in zip(sets.elements, label(sets), strict=True):
        assert found.item() == pytest.approx(max((a - b).norm().item() for a in points for b in points), rel=1e-5)
