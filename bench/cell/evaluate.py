"""What a trained model answers, and how good that is. Every prediction comes in here, and is looked at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Any

import torch
from torch import Tensor

from setbench.bench.cell.batches import to_device
from setbench.bench.cell.precision import lowered, raised
from setbench.bench.cell.train import Diverged
from setbench.bench.records.predictions import EXAMPLES, Examples, Predictions
from setbench.bench.records.record import Precision
from setbench.models.interfaces import Predictor, SetEncoder
from setbench.sets import PredictedSets
from setbench.specs import SetSpec
from setbench.tasks.checks import check_metrics, check_prediction
from setbench.tasks.interfaces import Split, Task

BATCH = 128
"""Examples predicted at once."""


def headline_variant(predictor: Predictor) -> tuple[str, int | None]:
    """The way of evaluating that rows are ranked by: its name, its budget."""
    return next(iter(predictor.variants().items()))


def spread_out(count: int, length: int) -> Tensor:
    """At most ``count`` indices from all over ``range(length)``, evenly: neighbours in a split may be alike."""
    count = min(count, length)
    return (torch.arange(count, dtype=torch.float64) + 0.5).mul(length / count).long() if count else torch.arange(0)


def as_tuple(prediction: Any) -> tuple[Tensor, ...]:
    """The tensors of a prediction: of sets two, of labels and numbers one."""
    return prediction if isinstance(prediction, tuple) else (prediction,)


def finite(prediction: Any, where: str) -> Any:
    """The prediction, on the CPU, if every number in it is finite.

    Raises:
        Diverged: some number is not: no metric may see it, since ``argmax`` and sorting take NaN for an answer.
    """
    parts = as_tuple(prediction)
    for part in parts:
        wrong = int((~part.isfinite())[:, None].flatten(1).any(dim=1).sum())
        if wrong:
            raise Diverged(f"the prediction{where} is no finite number for {wrong} of {len(part)} examples")
    return PredictedSets(*(part.cpu() for part in parts)) if isinstance(prediction, tuple) else prediction.cpu()


@contextmanager
def codes_looked_at(predictor: Predictor) -> Iterator[None]:
    """What set encoders give meanwhile is looked at too: DSPN answers with its start, which is finite, where a code is
    not.

    Raises:
        Diverged: some code is not finite.
        ValueError: codes are not of the size that the encoder was built for.
    """
    wrong: list[Tensor] = []

    def look(encoder: SetEncoder, given: tuple[Any, ...], code: Tensor) -> None:
        if code.shape != (len(given[0]), encoder.latent):
            shape = f"{list(code.shape)}, not {[len(given[0]), encoder.latent]}"
            raise ValueError(f"the code of {type(encoder).__name__} has shape {shape}")
        wrong.append((~code.isfinite()).any())

    encoders = [module for module in predictor.modules() if isinstance(module, SetEncoder)]
    hooks = [encoder.register_forward_hook(look) for encoder in encoders]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()
    if wrong and torch.stack(wrong).any():
        raise Diverged("the encoder's code is no finite number")


def predict(
    predictor: Predictor, split: Split, device: torch.device, precision: Precision = "float32"
) -> dict[str, Any]:
    """The predictions of every variant for a whole split, in order, on the CPU, in float32 at the least.

    Under no_grad, not inference_mode: DSPN descends a gradient.

    Raises:
        Diverged: one of them is not finite.
    """
    with torch.no_grad(), codes_looked_at(predictor), lowered(device, precision):
        parts = [predictor.answers(to_device(chunk.inputs, device)) for chunk in split.batches(BATCH)]
    return {name: finite(raised(_joined([part[name] for part in parts])), _where(name)) for name in parts[0]}


def predict_one(predictor: Predictor, device: torch.device, precision: Precision, variant: str, split: Split) -> Any:
    """The predictions of one variant, as :func:`predict` gives them."""
    budget = predictor.variants()[variant]
    with torch.no_grad(), codes_looked_at(predictor), lowered(device, precision):
        parts = [predictor(to_device(chunk.inputs, device), budget) for chunk in split.batches(BATCH)]
    return finite(raised(_joined(parts)), _where(variant))


def _where(variant: str) -> str:
    return f" ({variant})" if variant else ""


def _joined(parts: list[Any]) -> Any:
    if isinstance(parts[0], tuple):
        return PredictedSets(*(torch.cat(column) for column in zip(*parts, strict=True)))
    return torch.cat(parts)


def evaluate(
    predictor: Predictor, task: Task, split: Split, device: torch.device, precision: Precision = "float32"
) -> tuple[dict[str, dict[str, float]], dict[str, list[float]], Mapping[str, Tensor]]:
    """Every metric of every variant; the figure's columns of the headline variant, where the task draws any; and the
    headline's score of every example."""
    predictions = predict(predictor, split, device, precision)
    for prediction in predictions.values():
        check_prediction(task.output, prediction, len(split))
    metrics = {
        name: task.evaluate(prediction, split, partial(predict_one, predictor, device, precision, name))
        for name, prediction in predictions.items()
    }
    for found in metrics.values():
        check_metrics(task, found)
    headline = predictions[headline_variant(predictor)[0]]
    return metrics, task.curve(headline, split), task.item_scores(headline, split)


def best_constant(task: Task, train: Split, split: Split) -> dict[str, float]:
    """For each metric the best score among answers that look at no input: the floor that a model must beat."""
    scores = [
        task.evaluate(_repeated(constant, split), split, partial(_repeated, constant))
        for constant in task.constants(train).values()
    ]
    best = {True: max, False: min}
    return {
        name: best[metric.higher_is_better](score[name] for score in scores) for name, metric in task.metrics.items()
    }


def _repeated(prediction: Any, split: Split) -> Any:
    if isinstance(prediction, tuple):
        return PredictedSets(*(_repeated(part, split) for part in prediction))
    return prediction.expand(len(split), *prediction.shape[1:])


def sample_predictions(
    predictor: Predictor,
    task: Task,
    name: str,
    split: Split,
    device: torch.device,
    precision: Precision = "float32",
) -> tuple[Examples, Predictions] | None:
    """A few examples from all over the split and all that the decoder passes through on them, evaluated as for the
    headline; None where no sets come out."""
    if not isinstance(task.output, SetSpec):
        return None
    chosen = spread_out(EXAMPLES, len(split))
    batch = split.batch(chosen)
    with torch.no_grad(), lowered(device, precision):
        sets = predictor.trajectory(to_device(batch.inputs, device), headline_variant(predictor)[1])
    seen = task.pictures(name)
    images = None if seen is None else seen[chosen].permute(0, 2, 3, 1).contiguous().numpy()
    elements, presence = (torch.stack(column).half().cpu().numpy() for column in zip(*sets, strict=True))
    return Examples(images, *(part.numpy() for part in batch.targets)), Predictions(elements, presence)
