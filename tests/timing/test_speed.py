"""One training step and one inference of every row (32 sets of 10 elements, width 64), and the pictures of CLEVR: see
docs/timing.md.

Medians mean little by themselves; divided by the reference operation of the same run they hold between machines.
"""

from __future__ import annotations

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
from setbench.tasks.clevr.files.sample import sample
from setbench.tasks.clevr.render.picture import CHUNK, render
from setbench.tasks.interfaces import Split

BATCH, SIZE, FEATURES, WIDTH = 32, 10, 3, 64
SETS = ("set", FEATURES, SIZE, slice(0, 3))
MOST_TERMS = 5000
"""As in quick: what sums over more is out of reach."""

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

ENCODERS = [
    row
    for row in model_specs("encoder")
    if row.entry.terms is None or row.entry.terms(SIZE, row.options)[0] <= MOST_TERMS
]
DECODERS = model_specs("decoder")


class Squared:
    """A loss that costs next to nothing, so that the models are what is timed."""

    @staticmethod
    def loss(prediction: Any, target: Any) -> Tensor:
        if isinstance(target, tuple):
            return (prediction[0] - target[0]).square().mean() + (prediction[1] - target[1].float()).square().mean()
        return (prediction - target).square().mean()


def encoding(row: ModelSpec) -> tuple[Predictor, Split]:
    sets = SetBatch(torch.randn(BATCH, SIZE, FEATURES), torch.ones(BATCH, SIZE, dtype=torch.bool))
    return (
        build_predictor(SETS, ("number",), encoder=row, latent=WIDTH, width=WIDTH),
        Split(sets, torch.randn(BATCH)),
    )


def decoding(row: ModelSpec) -> tuple[Predictor, Split]:
    """From a vector; what decodes by descent does so through the first and simplest encoder."""
    encoder = ENCODERS[0] if row.entry.needs_encoder else None
    sets = SetBatch(torch.randn(BATCH, SIZE, FEATURES), torch.ones(BATCH, SIZE, dtype=torch.bool))
    predictor = build_predictor(("vector", 8), SETS, encoder=encoder, decoder=row, latent=WIDTH, width=WIDTH)
    return predictor, Split(torch.randn(BATCH, 8), sets)


def time(benchmark: Any, work: Any) -> None:
    benchmark.pedantic(work, rounds=20, warmup_rounds=3)


def time_step(benchmark: Any, predictor: Predictor, split: Split) -> None:
    trainer = Trainer(predictor, Squared(), split, SETTINGS, 0, torch.device("cpu"))  # type: ignore[arg-type]
    trainer.calibrate()
    predictor.train()
    time(benchmark, lambda: trainer.step(0))
    assert all(parameter.isfinite().all() for parameter in predictor.parameters())


def time_inference(benchmark: Any, predictor: Predictor, split: Split) -> None:
    predictor.calibrate(split.inputs, split.targets)
    predictor.eval()

    def infer() -> None:
        with torch.no_grad():
            predictor(split.inputs)

    time(benchmark, infer)


@pytest.fixture(autouse=True)
def _same_start() -> None:
    torch.manual_seed(0)
    torch.set_num_threads(1)


@pytest.mark.benchmark(group="reference")
def test_reference(benchmark: Any) -> None:
    """Fifty small layers, there and back: bound, as these models are, by the time to launch an operation."""
    data, weight = torch.randn(BATCH * SIZE, WIDTH), torch.randn(WIDTH, WIDTH, requires_grad=True)

    def work() -> None:
        out = data
        for _ in range(50):
            out = (out @ weight / WIDTH**0.5).tanh()
        out.sum().backward()

    benchmark.pedantic(work, rounds=100, warmup_rounds=10)


@pytest.mark.benchmark(group="training step, encoders")
@pytest.mark.parametrize("row", ENCODERS, ids=lambda row: row.name)
def test_step_encoder(benchmark: Any, row: ModelSpec) -> None:
    time_step(benchmark, *encoding(row))


@pytest.mark.benchmark(group="inference, encoders")
@pytest.mark.parametrize("row", ENCODERS, ids=lambda row: row.name)
def test_inference_encoder(benchmark: Any, row: ModelSpec) -> None:
    time_inference(benchmark, *encoding(row))


@pytest.mark.benchmark(group="training step, decoders")
@pytest.mark.parametrize("row", DECODERS, ids=lambda row: row.name)
def test_step_decoder(benchmark: Any, row: ModelSpec) -> None:
    time_step(benchmark, *decoding(row))


@pytest.mark.benchmark(group="inference, decoders")
@pytest.mark.parametrize("row", DECODERS, ids=lambda row: row.name)
def test_inference_decoder(benchmark: Any, row: ModelSpec) -> None:
    time_inference(benchmark, *decoding(row))


@pytest.mark.benchmark(group="pictures of CLEVR")
def test_scenes(benchmark: Any) -> None:
    """As many scenes as are drawn together, sampled with the test that every object can be seen."""
    first = iter(range(0, 10**6, CHUNK))
    time(benchmark, lambda: sample(0, 0, next(first), CHUNK))


@pytest.mark.benchmark(group="pictures of CLEVR")
def test_pictures(benchmark: Any) -> None:
    """The same number drawn at the papers' size: CHUNK over this time and that of `test_scenes` is pictures a second of
    one process."""
    scenes = sample(0, 0, 0, CHUNK)
    time(benchmark, lambda: render(scenes))
