"""One cell from start to finish: data, model, training, evaluation, timing, invariance. In a process of its own."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from setbench.bench.cell.evaluate import best_constant, evaluate, headline_variant, sample_predictions
from setbench.bench.cell.frozen_task import FrozenTask
from setbench.bench.cell.measure import PeakMemory, measure_invariance, measure_speed
from setbench.bench.cell.precision import products_in
from setbench.bench.cell.quiet import QuietMachine
from setbench.bench.cell.train import Trainer
from setbench.bench.cell.validate import Validator
from setbench.bench.plan.cells import Cell
from setbench.bench.records.checkpoints import Checkpoint
from setbench.bench.records.predictions import SEED, Examples, Predictions
from setbench.bench.records.record import Data, Headline, Measured, MetricInfo, Timing
from setbench.models.build import build_predictor
from setbench.models.catalogue import parse
from setbench.models.entry import FROZEN
from setbench.models.interfaces import Predictor
from setbench.specs import ImageSpec
from setbench.tasks.catalogue import TASKS
from setbench.tasks.checks import check_task
from setbench.tasks.interfaces import Split, Task

Watch = Callable[[int, float], None]


@dataclass(frozen=True)
class Kept:
    """What is kept beside the record: predictions for figures, where there are some; the score of every test item."""

    predictions: tuple[Examples, Predictions] | None
    items: Mapping[str, Any]


def make_task(cell: Cell, cache: Path, data: Path | None) -> Task:
    """The cell's task, on the cell's data; pictures already encoded where the settings say frozen features."""
    settings = cell.settings
    task = TASKS[cell.task].make(settings.task_options, settings.sizes, cache, data)
    frozen = isinstance(task.input, ImageSpec) and settings.image_encoder in FROZEN
    return FrozenTask(task, settings.image_encoder) if frozen else task


def make_predictor(cell: Cell, task: Task) -> Predictor:
    """The cell's model, freshly initialised under the cell's seed."""
    torch.manual_seed(cell.seed)
    settings = cell.settings
    return build_predictor(
        source=task.input,
        output=task.output,
        encoder=parse(cell.encoder, ("encoder", "predictor")) if cell.encoder else None,
        decoder=parse(cell.decoder, ("decoder",)) if cell.decoder else None,
        head=settings.head,
        image_encoder=settings.image_encoder,
        latent=settings.latent,
        width=settings.width,
    )


def run_cell(
    cell: Cell, cache: Path, data: Path | None, watch: Watch, checkpoint: Checkpoint | None = None
) -> tuple[Measured, Kept]:
    """Everything measured of one cell, and what is kept beside it. Raises what its parts raise."""
    with products_in(cell.precision):
        return _run_cell(cell, cache, data, watch, checkpoint)


def _run_cell(
    cell: Cell, cache: Path, data: Path | None, watch: Watch, checkpoint: Checkpoint | None
) -> tuple[Measured, Kept]:
    start = time.perf_counter()
    device = torch.device(cell.device)
    task = make_task(cell, cache, data)
    train, test = task.split("train"), task.split(cell.split)
    check_task(task, train)
    about = _about(cell, task, test)
    if cell.constant:
        scores = best_constant(task, train, test)
        floor = Measured(**about, metrics={"": scores}, headline=Headline(metric=task.headline, variant=""))
        return floor, Kept(None, {})
    memory = PeakMemory(device)
    predictor = make_predictor(cell, task).to(device)
    trainer = Trainer(predictor, task, train, cell.settings, cell.seed, device, cell.precision)
    calibration = trainer.calibrate()
    quiet = QuietMachine()
    validator = Validator(predictor, task, cell.settings, device, cell.precision)
    trained = trainer.run(watch, quiet.training, validator, checkpoint)
    peak = memory.megabytes(trainer.batches.bytes)
    predictor.eval()
    began = time.perf_counter()
    with quiet.training():
        metrics, figures, items = evaluate(predictor, task, test, device, cell.precision)
        with products_in("float32"):
            invariance = measure_invariance(predictor, task, test, device, cell.settings.invariance_sets)
        drawn = cell.seed == SEED
        kept = sample_predictions(predictor, task, cell.split, test, device, cell.precision) if drawn else None
    evaluating = time.perf_counter() - began
    began = time.perf_counter()
    speed = measure_speed(trainer, predictor, test, device, quiet, cell.settings.timing_repeats)
    measuring = time.perf_counter() - began
    wall = trained.earlier + time.perf_counter() - start
    measured = Measured(
        **about,
        metrics=metrics,
        headline=Headline(metric=task.headline, variant=headline_variant(predictor)[0]),
        curve=trained.curve,
        figures=figures,
        calibration=calibration,
        time=Timing(
            wall=wall,
            train=trained.seconds,
            validating=trained.validating,
            evaluate=evaluating,
            measuring=measuring,
            rest=wall - trained.seconds - trained.validating - evaluating - measuring,
            **speed,
        ),
        invariance=invariance,
        parameters=sum(parameter.numel() for parameter in predictor.parameters()),
        peak_memory_mb=peak,
        batches=trainer.batches.where,
        gpu=torch.cuda.get_device_name(device) if device.type == "cuda" else None,
    )
    return measured, Kept(kept, {name: scores.cpu().numpy() for name, scores in items.items()})


def _about(cell: Cell, task: Task, test: Split) -> dict[str, Any]:
    """What is known of the data and the metrics, whatever the model."""
    identity = task.identity
    fewer = len(test) < cell.settings.sizes.get(cell.split, 0)
    return {
        "data": Data(name=identity.name, kind=identity.kind, checksum=identity.checksum),
        "notes": [*_notes(cell), *task.notes, *[f"tested on {len(test)} examples, all there are"] * fewer],
        "independent_items": task.independent_items(cell.split),
        "metric_info": {
            name: MetricInfo(unit=metric.unit, higher_is_better=metric.higher_is_better, meaning=metric.meaning)
            for name, metric in task.metrics.items()
        },
    }


def _notes(cell: Cell) -> list[str]:
    """What the cell's models must have said of them."""
    decoder = parse(cell.decoder, ("decoder",)).entry.note if cell.decoder else ""
    return [decoder] if decoder else []
