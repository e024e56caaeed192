"""A training step that never reads a value back from the device, so that a GPU is never waited for.

On the meta device whatever reads a value (``.item()``, a boolean index, ``nonzero``) or makes a tensor elsewhere
raises. The loss is Chamfer's: the Hungarian one takes its costs to the CPU, once a step.
"""

from typing import Any

import pytest
import torch

from setbench.models.build import build_predictor
from setbench.models.catalogue import ModelSpec, model_specs, parse
from setbench.sets import SetBatch
from setbench.specs import SetSpec, VectorSpec
from setbench.tasks.losses import chamfer_padded

SETS, VECTOR = SetSpec(4, 6, slice(0, 2)), VectorSpec(8)
PYG_READS = {"pyg_aggregation:aggr=Median", "pyg_aggregation:aggr=Quantile"}
"""The library counts each set's elements by ``bincount``, which asks for the largest index, and offers no other way."""

ENCODERS = model_specs("encoder")
DECODERS = model_specs("decoder")


def step(source: Any, encoder: ModelSpec | None, decoder: str) -> None:
    """One step of training on the meta device; raises where it waits."""
    spec = parse(decoder, ("decoder",))
    built = build_predictor(source, SETS, encoder=encoder, decoder=spec, latent=8, width=8).to("meta").train()
    with torch.device("meta"):
        sets = SetBatch(torch.empty(3, 6, 4), torch.empty(3, 6, dtype=torch.bool))
        losses = built.losses(torch.empty(3, 8) if source is VECTOR else sets, sets, chamfer_padded)
        total = torch.stack(list(losses.values())).sum()
        total.backward()
        torch.optim.Adam(built.parameters()).step()
    assert total.is_meta
    assert any(parameter.grad is not None for parameter in built.parameters())


def test_the_meta_device_raises_where_a_value_is_read() -> None:
    values = torch.empty(3, device="meta")
    with pytest.raises(RuntimeError):
        values.sum().item()
    with pytest.raises(NotImplementedError):
        values[values > 0]


@pytest.mark.parametrize("row", [row for row in ENCODERS if row.name not in PYG_READS], ids=lambda row: row.name)
def test_every_encoder_in_every_decoder_that_descends(row: ModelSpec) -> None:
    for source in (VECTOR, SETS):
        step(source, row, "dspn:steps=2,step=paper,momentum=0.5")
        step(source, row, "idspn:steps=2,step=0.1")


@pytest.mark.parametrize("name", sorted(PYG_READS))
def test_what_the_library_reads_is_still_read(name: str) -> None:
    """A row that no longer waits must leave the list."""
    with pytest.raises((RuntimeError, NotImplementedError)):
        step(VECTOR, parse(name, ("encoder",)), "dspn:steps=1,step=paper")


@pytest.mark.parametrize(
    "row",
    [row for row in DECODERS if not row.entry.needs_encoder and row.entry.sees != "feature map"],
    ids=lambda row: row.name,
)
def test_every_other_decoder(row: ModelSpec) -> None:
    step(VECTOR, None, row.name)
