"""One training step and one inference of every model of the catalogue: 32 sets of 10 elements, width 64."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from setbench.bench.cell.train import Trainer
from setbench.bench.plan.presets import Settings
from setbench.models.build import build_predictor
from setbench.models.catalogue import ModelSpec, model_specs
from setbench.models.interfaces import Predictor
from setbench.sets import SetBatch
from setbench.specs import ImageSpec, NumberSpec, SetSpec, VectorSpec
from setbench.tasks.interfaces import Split

BATCH, SIZE, FEATURES, WIDTH = 32, 10, 3, 64
SMALL = 5
"""Elements of a set for what sums over more terms than MOST_TERMS, as in quick, where there are SIZE."""
MOST_TERMS = 5000
SIDE = 32
"""Pixels a side, for what sees a feature map."""

SETTINGS = Settings(
    steps=1,
    batch=BATCH,
    learning_rate=1e-3,
    schedule="constant",
    clip=10.0,
    latent=WIDTH,
    width=WIDTH,
    head="mlp",
    image_encoder="small",
    sizes={},
    max_terms=MOST_TERMS,
    timing_repeats=1,
    invariance_sets=1,
)

ENCODERS = model_specs("encoder")
SETS_TO_SETS = [*model_specs("decoder"), *model_specs("predictor")]


class Squared:
    """A loss that costs next to nothing, so that the models are what is timed."""

    @staticmethod
    def loss(prediction: Any, target: Any) -> Tensor:
        if isinstance(target, tuple):
            return (prediction[0] - target[0]).square().mean() + (prediction[1] - target[1].float()).square().mean()
        return (prediction - target).square().mean()


def some_sets(size: int = SIZE) -> SetBatch:
    return SetBatch(torch.randn(BATCH, size, FEATURES), torch.ones(BATCH, size, dtype=torch.bool))


def spec(size: int = SIZE) -> SetSpec:
    return SetSpec(FEATURES, size, positions=slice(0, 3))


def encoding(row: ModelSpec) -> tuple[Predictor, Split]:
    terms = row.entry.terms
    size = SIZE if terms is None or terms(SIZE, row.options)[0] <= MOST_TERMS else SMALL
    predictor = build_predictor(spec(size), NumberSpec(), encoder=row, latent=WIDTH, width=WIDTH)
    return predictor, Split(some_sets(size), torch.randn(BATCH))


def decoding(row: ModelSpec) -> tuple[Predictor, Split]:
    """From a vector, or a picture for what sees one; what decodes by descent does so through the first and simplest
    encoder. A whole predictor makes sets of sets."""
    sets = some_sets()
    if row.entry.kind == "predictor":
        return build_predictor(spec(), spec(), encoder=row, latent=WIDTH, width=WIDTH), Split(sets, sets)
    encoder = ENCODERS[0] if row.entry.needs_encoder else None
    if row.entry.sees == "feature map":
        source, inputs = ImageSpec(3, SIDE, SIDE), torch.rand(BATCH, 3, SIDE, SIDE)
    else:
        source, inputs = VectorSpec(8), torch.randn(BATCH, 8)
    predictor = build_predictor(source, spec(), encoder=encoder, decoder=row, latent=WIDTH, width=WIDTH)
    return predictor, Split(inputs, sets)


def step(predictor: Predictor, split: Split) -> Callable[[], object]:
    trainer = Trainer(predictor, Squared(), split, SETTINGS, 0, torch.device("cpu"))  # type: ignore[arg-type]
    trainer.calibrate()
    predictor.train()
    return lambda: trainer.step(0)


def inference(predictor: Predictor, split: Split) -> Callable[[], object]:
    predictor.calibrate(split.inputs, split.targets)
    predictor.eval()

    def infer() -> None:
        with torch.no_grad():
            predictor(split.inputs)

    return infer


@pytest.mark.benchmark(group="training step, encoders")
@pytest.mark.parametrize("row", ENCODERS, ids=lambda row: row.name)
def test_step_encoder(timed: Callable[..., None], row: ModelSpec) -> None:
    timed(step(*encoding(row)))


@pytest.mark.benchmark(group="inference, encoders")
@pytest.mark.parametrize("row", ENCODERS, ids=lambda row: row.name)
def test_inference_encoder(timed: Callable[..., None], row: ModelSpec) -> None:
    timed(inference(*encoding(row)))


@pytest.mark.benchmark(group="training step, decoders")
@pytest.mark.parametrize("row", SETS_TO_SETS, ids=lambda row: row.name)
def test_step_decoder(timed: Callable[..., None], row: ModelSpec) -> None:
    timed(step(*decoding(row)))


@pytest.mark.benchmark(group="inference, decoders")
@pytest.mark.parametrize("row", SETS_TO_SETS, ids=lambda row: row.name)
def test_inference_decoder(timed: Callable[..., None], row: ModelSpec) -> None:
    timed(inference(*decoding(row)))
