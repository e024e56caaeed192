"""What check finds of the catalogue's encoders is what the catalogue claims."""

import pytest
import torch

from setbench import check
from setbench.models import SetSpec
from setbench.models.catalogue import CATALOGUE, parse
from setbench.models.entry import Entry

ENCODERS = [entry for entry in CATALOGUE.values() if entry.kind == "encoder"]


@pytest.mark.parametrize("entry", ENCODERS, ids=[entry.name for entry in ENCODERS])
def test_it_agrees_with_what_the_catalogue_claims(entry: Entry) -> None:
    """The laws of the encoders are held to the same claims by other code."""
    torch.manual_seed(0)
    options = parse(entry.name, ("encoder",)).options
    encoder = entry.load()(SetSpec(3, 10, slice(0, 3)), latent=10, width=8, **options).eval()
    found = check(encoder, orders=5)
    wanted = {"exact": True, "none": False, "approximate": None if encoder.random else False}[entry.invariance]
    assert (found.invariant, found.equivariant) == (
        wanted,
        None,
    )  # ten features of a code are no places of ten elements
    assert found.ignores_padding is (None if encoder.random else True)
    assert found.finite_gradients is True
