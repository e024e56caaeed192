"""Rows that another row makes needless, and rows that know no place: the catalogue's word against the networks."""

import pytest
import torch

from setbench.models.catalogue import parse
from setbench.specs import SetSpec

SPEC = SetSpec(3, 6, slice(0, 2))
KNN = ("gin", "edge_conv", "gatv2", "pna", "transformer_conv", "se3_attention")


def code(name: str, elements: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    row = parse(name, ("encoder",))
    torch.manual_seed(0)
    return row.entry.load()(SPEC, 4, 8, **row.options).double()(elements, mask)


@pytest.mark.parametrize("name", KNN)
@pytest.mark.parametrize("neighbours", [3, 4, 5, 8])
def test_as_many_neighbours_as_others_are_the_complete_graph(name, neighbours):
    elements = torch.rand(3, 6, 3, dtype=torch.double, generator=torch.Generator().manual_seed(0))
    mask = torch.arange(6) < torch.tensor([6, 6, 4])[:, None]
    row = parse(f"{name}:graph=knn,neighbours={neighbours}", ("encoder",))
    gap = (code(row.name, elements, mask) - code(f"{name}:graph=complete", elements, mask)).abs().max()
    assert row.entry.redundant is not None
    why = row.entry.redundant(6, row.options)
    assert (why is not None) == (neighbours >= 5) == (gap < 1e-12)
    assert row.entry.redundant(6, row.options | {"graph": "complete"}) is None
    if why is not None:
        assert why == f"kNN with k={neighbours} on sets of at most 6 is the complete graph; see graph=complete"


def test_only_attention_on_distances_cannot_place():
    elements = torch.rand(1, 6, 3, dtype=torch.double, generator=torch.Generator().manual_seed(0))
    mask, shift = torch.ones(1, 6, dtype=torch.bool), torch.tensor([0.3, -0.2, 0])
    for name in (*KNN, "se3_attention:positions=absolute"):
        row = parse(name, ("encoder",))
        moved = (code(name, elements + shift, mask) - code(name, elements, mask)).abs().max()
        why = None if row.entry.cannot_place is None else row.entry.cannot_place(row.options)
        assert (why is not None) == (moved < 1e-12), name
