"""Nothing between what comes in and its decoder is narrower than the code: over everything that a preset plans."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from setbench.bench.plan.cells import Request, asked_tasks, plan
from setbench.bench.plan.presets import PRESETS, Settings, load
from setbench.models.build import build_predictor
from setbench.models.catalogue import parse
from setbench.models.entry import FROZEN
from setbench.models.images.frozen import load_frozen
from setbench.models.predictors import SetDecoding
from setbench.specs import ImageSpec, InputSpec, VectorSpec
from setbench.tasks.catalogue import TASKS

SOURCES = [name for name, task in TASKS.items() if task.input_kind != "set"]


def comes_in(task: str, settings: Settings) -> InputSpec:
    """What the cell's model reads: a frozen code where pictures are encoded beforehand."""
    spec = TASKS[task].input_spec(settings.task_options)
    frozen = isinstance(spec, ImageSpec) and settings.image_encoder in FROZEN
    return VectorSpec(load_frozen(settings.image_encoder)[1]["latent"]) if frozen else spec


@pytest.mark.parametrize("preset", PRESETS)
def test_no_source_has_a_narrower_layer_than_its_code(preset: str) -> None:
    """Each linear layer of it is as wide as the code, and the code is as wide as the frozen one that it is made of."""
    seen = set()
    for cell in plan(Request(asked_tasks(SOURCES), None, None, (0,), load(preset), "cpu", None)):
        settings = cell.settings
        spec = comes_in(cell.task, settings)
        if cell.constant or (spec, settings.latent, settings.width) in seen:
            continue
        seen.add((spec, settings.latent, settings.width))
        with torch.device("meta"):
            built = build_predictor(
                source=spec,
                output=TASKS[cell.task].output_spec(settings.task_options),
                encoder=None,
                decoder=parse("mlp", ("decoder",)),
                latent=settings.latent,
                width=settings.width,
                image_encoder="small" if isinstance(spec, VectorSpec) else settings.image_encoder,
            )
        assert isinstance(built, SetDecoding)
        assert built.source is not None
        linear = [layer.out_features for layer in built.source.modules() if isinstance(layer, nn.Linear)]
        assert min(linear, default=settings.latent) >= settings.latent, (cell, linear)
        if settings.image_encoder in FROZEN and isinstance(spec, VectorSpec):
            assert settings.latent >= spec.size, cell
    assert seen
