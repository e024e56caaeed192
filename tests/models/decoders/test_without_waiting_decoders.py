"""No decoder reads a value back from the device, so that a GPU is never waited for."""

import pytest
import torch

from setbench.models.catalogue import model_specs, parse
from setbench.models.contract.decoders import CELLS, LATENT, untouched

ROWS = [*model_specs("decoder"), parse("dspn:stop=1e-3,momentum=0.5,mask_sum=true,start=mlp", ("decoder",))]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_a_training_step_on_the_meta_device(row):
    """Whatever reads a value, or makes a tensor on the wrong device, raises there."""
    with torch.device("meta"):
        decoder = untouched(row, dtype=torch.float32)
        code = torch.empty(3, LATENT) if row.entry.sees == "code" else torch.empty(3, CELLS, LATENT)
        code.requires_grad_()
        target = torch.empty(3, 6, 2), torch.empty(3, 6, dtype=torch.bool)
    if row.entry.needs_encoder:
        decoder.step = 1.0  # what calibration would have read, once
    trained = decoder.in_loss(decoder(code))
    losses = [each.elements.square().mean() + each.presence.mean() for each in trained]
    torch.stack([*losses, *decoder.extra_losses(code, target).values()]).sum().backward()
    assert code.grad is not None
    assert code.grad.shape == code.shape
