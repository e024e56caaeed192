"""One cell from start to record: data, model, training, evaluation, timing, invariance. In a process of its own."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from setbench.bench.cell.features import FROZEN, freeze
from setbench.bench.cell.measure import (
    LATENCY_BATCH,
    PeakMemory,
    invariance_error,
    median_seconds,
    prediction_moves,
    reference_seconds,
    slots_error,
    synchronize,
)
from setbench.bench.cell.quiet import QuietMachine
from setbench.bench.cell.train import Trainer, to_device
from setbench.bench.plan.cells import Cell
from setbench.bench.records.predictions import EXAMPLES, SEED, Examples, Predictions
from setbench.models.build import build_predictor
from setbench.models.catalogue import parse
from setbench.models.interfaces import Predictor
from setbench.tasks.catalogue import TASKS
from setbench.tasks.interfaces import Images, Label, Sets, Split, Task, Vector

Watch = Callable[[int, float], None]


def make_task(cell: Cell, cache: Path, data: Path | None) -> Task:
    """The cell's task, on the cell's data; pictures already encoded where the settings say frozen features."""
    settings = cell.settings
    task: Task = TASKS[cell.task].load()(sizes=settings.sizes, cache=cache, data=data, **settings.task_options)
    frozen = isinstance(task.input, Images) and settings.image_encoder == FROZEN
    return freeze(task) if frozen else task


def make_predictor(cell: Cell, task: Task) -> Predictor:
    """The cell's model, freshly initialised under the cell's seed."""
    torch.manual_seed(cell.seed)
    settings = cell.settings
    return build_predictor(
        source=_shape(task.input),
        output=_shape(task.output),
        encoder=parse(cell.encoder, ("encoder", "predictor")) if cell.encoder else None,
        decoder=parse(cell.decoder, ("decoder",)) if cell.decoder else None,
        head=settings.head,
        image_encoder=settings.image_encoder,
        latent=settings.latent,
        width=settings.width,
    )


def _shape(kind: Any) -> tuple[Any, ...]:
    match kind:
        case Vector(size):
            return ("vector", size)
        case Images(channels, height, width):
            return ("image", channels, height, width)
        case Sets(features, max_size, positions):
            return ("set", features, max_size, positions)
        case Label(classes):
            return ("label", classes)
        case _:
            return ("number",)


def run_cell(cell: Cell, cache: Path, data: Path | None, watch: Watch) -> dict[str, Any]:
    """Everything measured of one cell, as the record's fields. Raises what its parts raise; the caller sorts that."""
    start = time.perf_counter()
    device = torch.device(cell.device)
    memory = PeakMemory(device)
    task = make_task(cell, cache, data)
    test = task.split(cell.split)
    common = _describe_task(cell, task, len(test))
    if cell.constant:
        scores = best_constant(task, task.split("train"), test)
        return {**common, "metrics": {"": scores}, "headline": {"metric": task.headline, "variant": ""}}
    predictor = make_predictor(cell, task).to(device)
    trainer = Trainer(predictor, task, task.split("train"), cell.settings, cell.seed, device)
    calibration = trainer.calibrate()
    quiet = QuietMachine()
    trained = trainer.run(watch, quiet.training)
    predictor.eval()
    began = time.perf_counter()
    with quiet.training():
        metrics, extras = evaluate(predictor, task, test, device)
        invariance = _invariance(cell, predictor, task, test, device)
        kept = look(cell, predictor, task, test, device) if cell.seed == SEED else None
    evaluating = time.perf_counter() - began
    timing = _time(trainer, predictor, test, device, quiet, cell.settings.timing_repeats)
    wall = time.perf_counter() - start
    return {
        **common,
        "metrics": metrics,
        "headline": {"metric": task.headline, "variant": next(iter(predictor.variants()))},
        "curve": trained.curve,
        "figures": extras,
        "calibration": calibration,
        "time": {
            "wall": wall,
            "train": trained.seconds,
            "evaluate": evaluating,
            "rest": wall - trained.seconds - evaluating,
            **timing,
            "threads": torch.get_num_threads(),
            "device": cell.device,
        },
        "invariance": invariance,
        "parameters": sum(parameter.numel() for parameter in predictor.parameters()),
        "pictures": kept,
        "peak_memory_mb": memory.megabytes(),
        "gpu": torch.cuda.get_device_name(device) if device.type == "cuda" else None,
    }


def look(
    cell: Cell, predictor: Predictor, task: Task, test: Split, device: torch.device
) -> tuple[Examples, Predictions] | None:
    """A few examples from all over the split and all that the decoder passes through on them, evaluated as for the
    headline; None where no sets come out."""
    if not isinstance(task.output, Sets):
        return None
    count = min(EXAMPLES, len(test))
    chosen = (torch.arange(count) + 0.5).mul(len(test) / count).long()
    batch = test.batch(chosen)
    variant = next(iter(predictor.variants().values()))
    with torch.no_grad():
        sets = predictor.trajectory(to_device(batch.inputs, device), **variant)
    # frozen features: people see the pictures that these are of
    seen = task.frozen_from(cell.split).inputs[chosen] if hasattr(task, "frozen_from") else batch.inputs
    images = seen.permute(0, 2, 3, 1).contiguous().numpy() if getattr(seen, "dtype", None) == torch.uint8 else None
    elements, presence = (torch.stack(column).half().cpu().numpy() for column in zip(*sets, strict=True))
    return Examples(images, *(part.numpy() for part in batch.targets)), Predictions(elements, presence)


def _describe_task(cell: Cell, task: Task, tested: int) -> dict[str, Any]:
    identity = task.identity
    frozen = isinstance(task.input, Vector) and cell.settings.image_encoder == FROZEN and hasattr(task, "frozen_from")
    told = "frozen features" + ", learned on rendered scenes" * (identity.kind == "real")
    fewer = tested < cell.settings.sizes.get(cell.split, 0)
    return {
        "data": {"name": identity.name, "kind": identity.kind, "checksum": identity.checksum},
        "notes": [told] * frozen + [f"tested on {tested} examples, all there are"] * fewer,
        "metric_info": {
            name: {"unit": metric.unit, "higher_is_better": metric.higher_is_better, "meaning": metric.meaning}
            for name, metric in task.metrics.items()
        },
    }


def predict(predictor: Predictor, split: Split, device: torch.device, batch: int = 128) -> dict[str, Any]:
    """The predictions of every variant for a whole split, in order, on the CPU.

    Under no_grad, not inference_mode: DSPN descends a gradient.
    """
    with torch.no_grad():
        parts = [predictor.answers(to_device(chunk.inputs, device)) for chunk in split.batches(batch)]
    return {name: _join([part[name] for part in parts]) for name in parts[0]}


def _join(parts: list[Any]) -> Any:
    if isinstance(parts[0], tuple):
        return tuple(torch.cat(column).cpu() for column in zip(*parts, strict=True))
    return torch.cat(parts).cpu()


def evaluate(
    predictor: Predictor, task: Task, split: Split, device: torch.device
) -> tuple[dict[str, dict[str, float]], dict[str, list[float]]]:
    """Every metric of every variant; and the figures of the headline variant, where the task draws any.

    What a task wants predicted besides (``refine``) it says of the headline variant, and gets for all.
    """
    predictions = predict(predictor, split, device)
    headline = next(iter(predictor.variants()))
    closer = task.refine(predictions[headline], split)
    further = {} if closer is None else predict(predictor, closer, device)
    metrics = {
        name: task.evaluate(prediction, split, *((further[name], closer) if further else ()))
        for name, prediction in predictions.items()
    }
    return metrics, task.curve(predictions[headline], split)


def best_constant(task: Task, train: Split, split: Split) -> dict[str, float]:
    """For each metric the best score among answers that look at no input: the floor that a model must beat."""
    scores = [task.evaluate(_repeat(constant, len(split)), split) for constant in task.constants(train).values()]
    best = {True: max, False: min}
    return {
        name: best[metric.higher_is_better](score[name] for score in scores) for name, metric in task.metrics.items()
    }


def _repeat(prediction: Any, times: int) -> Any:
    if isinstance(prediction, tuple):
        return tuple(_repeat(part, times) for part in prediction)
    return prediction.expand(times, *prediction.shape[1:])


def _invariance(
    cell: Cell, predictor: Predictor, task: Task, split: Split, device: torch.device
) -> dict[str, float | None] | None:
    """Measured on the sets that the encoder sees: the inputs, or else the targets."""
    if predictor.encoder is None:
        return None
    chosen = split.batch(torch.arange(min(cell.settings.invariance_sets, len(split))))
    sets = chosen.inputs if isinstance(task.input, Sets) else chosen.targets
    elements, mask = to_device(tuple(sets), device)
    found: dict[str, float | None] = invariance_error(predictor, elements, mask)
    found["slots64"] = slots_error(predictor, to_device(split.batch(torch.arange(min(8, len(split)))).inputs, device))
    if isinstance(task.input, Sets) and isinstance(task.output, Sets):
        found["prediction_moves"] = prediction_moves(predictor, (elements, mask))
    return found


def _time(
    trainer: Trainer, predictor: Predictor, split: Split, device: torch.device, quiet: QuietMachine, repeats: int
) -> dict[str, float]:
    """Throughput of training steps and latency of one batch, alone on the machine, beside a reference operation."""
    batch = split.batch(torch.arange(min(LATENCY_BATCH, len(split))))
    inputs = to_device(batch.inputs, device)

    def infer() -> None:
        with torch.no_grad():
            predictor(inputs)

    def train() -> None:
        trainer.step(0)

    with quiet.timing():
        synchronize(device)
        reference = reference_seconds(device, max(3, repeats))
        latency = median_seconds(infer, device, repeats)
        predictor.train()
        step = median_seconds(train, device, repeats)
    return {
        "reference_ms": 1000 * reference,
        "latency_ms": 1000 * latency,
        "latency_batch": len(batch),
        "throughput": min(trainer.settings.batch, len(trainer.split)) / step,
    }
