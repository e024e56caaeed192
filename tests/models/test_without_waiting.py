"""Which encoders never read a value back from the device, so that a GPU is never waited for."""

import pytest
import torch

from setbench.models.catalogue import model_specs
from setbench.specs import SetSpec

READERS = {
    "gin",
    "edge_conv",
    "gatv2",
    "pna",
    "transformer_conv",
    "se3_attention",
    "lambda_net",
    "pyg_aggregation",
    "pyg_ordered",
}
"""PyG's layout of a batch, all real elements in one list, has a length that must be asked for; so have the triplets."""
TUPLES = {"janossy:k=3", "janossy:k=N"}
"""They go through their sets by size."""


SILENT = [row for row in model_specs("encoder") if row.entry.name not in READERS and row.name not in TUPLES]


@pytest.mark.parametrize("row", SILENT, ids=lambda row: row.name)
def test_values_and_two_derivatives_on_the_meta_device(row):
    """Whatever reads a value, or makes a tensor on the wrong device, raises there."""
    with torch.device("meta"):
        encoder = row.entry.load()(SetSpec(4, 6, slice(0, 2)), 8, 8, **row.options)
        elements, mask = torch.empty(3, 6, 4, requires_grad=True), torch.empty(3, 6, dtype=torch.bool)
    (slope,) = torch.autograd.grad(encoder(elements, mask).sin().sum(), elements, create_graph=True)
    slope.square().sum().backward()
    assert elements.grad is not None
    assert elements.grad.shape == elements.shape
