"""What can be seen of a task and of a prediction in a moment, before anything is trained.

Every check raises :class:`BrokenTask` with one line. :func:`check_task` does all of them on a few examples;
:mod:`setbench.tasks.contract` holds the laws that take longer.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor

from setbench.sets import PredictedSets, SetBatch
from setbench.specs import ImageSpec, InputSpec, LabelSpec, OutputSpec, SetSpec, VectorSpec
from setbench.tasks.interfaces import Metric, Split, Task

FEW = 6
"""Examples that :func:`check_task` looks at."""

SCALES = (0.1, 1.0, 10.0, 100.0, 1000.0)
"""Predictions are tried at these sizes: the answers' own is among them, whatever their unit is."""

_SAME = 1e-3
"""Relative difference of two losses that float32 makes."""


class BrokenTask(ValueError):
    """A task, or a prediction for it, is not what it is declared to be; the message is one line."""


def check_task(task: Task, split: Split) -> None:
    """Headline, shapes, loss and metrics of a task on the first examples of a split: 0.02 s, 1 s for sets of 342.

    Raises:
        BrokenTask: the first thing that is wrong, in one line.
    """
    check_headline(task)
    if not len(split):
        raise BrokenTask("the split is empty")
    few = split.batch(torch.arange(min(FEW, len(split))))
    check_inputs(task.input, few.inputs, len(few))
    check_targets(task.output, few.targets, len(few))
    for scale in SCALES:
        check_loss(task, guess(task.output, len(few), scale), few.targets)
    check_evaluation(task, few)


def check_headline(task: Task) -> None:
    """The headline is one of the metrics, and these are :class:`Metric`."""
    for name, metric in task.metrics.items():
        if not isinstance(metric, Metric):
            raise BrokenTask(f"metric {name!r} is not a Metric but {metric!r:.60}")
    if task.headline not in task.metrics:
        raise BrokenTask(f"the headline {task.headline!r} is not among the metrics: {', '.join(task.metrics)}")


def check_inputs(spec: InputSpec, inputs: Any, count: int) -> None:
    """A batch of inputs is of the spec's kind and shape."""
    match spec:
        case SetSpec():
            _sets("inputs", spec, inputs, count)
        case VectorSpec(size):
            _tensor("inputs", inputs, (count, size), torch.float32)
        case ImageSpec(channels, height, width):
            _tensor("inputs", inputs, (count, channels, height, width), torch.uint8)


def check_targets(spec: OutputSpec, targets: Any, count: int) -> None:
    """A batch of targets is of the spec's kind and shape."""
    match spec:
        case SetSpec():
            _sets("targets", spec, targets, count)
        case LabelSpec(classes):
            _tensor("targets", targets, (count,), torch.int64)
            if ((targets < 0) | (targets >= classes)).any():
                raise BrokenTask(f"targets are {targets.min()} to {targets.max()}; there are {classes} classes from 0")
        case _:
            _tensor("targets", targets, (count,), torch.float32)


def check_prediction(spec: OutputSpec, prediction: Any, count: int) -> None:
    """A prediction for ``count`` examples has the shape that goes with the task's output; its numbers are not looked
    at."""
    match spec:
        case SetSpec(features=features):
            if not isinstance(prediction, tuple) or len(prediction) != 2:
                raise BrokenTask(f"the prediction is {_what(prediction)}, not PredictedSets")
            elements, presence = prediction
            slots = presence.shape[1] if isinstance(presence, Tensor) and presence.dim() == 2 else spec.max_size
            _shape("predicted elements", elements, (count, slots, features))
            _shape("predicted presence", presence, (count, slots))
        case LabelSpec(classes):
            _shape("the prediction", prediction, (count, classes))
        case _:
            _shape("the prediction", prediction, (count,))


def check_loss(task: Task, prediction: Any, targets: Any) -> None:
    """The loss is a finite scalar with a finite gradient, and every example has its own.

    The loss of a batch must be the mean (or the sum) of its examples' own, and the gradient in each prediction that of
    its own example's loss: no example is compared with another's target, as happens where a target of shape [N, 1]
    meets predictions [N].

    Args:
        prediction: of two examples or more; ties and kinks apart, any will do.
    """
    count = len(targets.mask if isinstance(targets, SetBatch) else targets)
    whole, slope = _loss(task, prediction, targets)
    parts = [_loss(task, _one(prediction, k), _one(targets, k)) for k in range(count)]
    own = torch.stack([loss for loss, _ in parts])
    factor = 1 / count if _near(whole, own.mean(), own) else 1.0
    if not _near(whole, factor * own.sum(), own):
        raise BrokenTask(
            f"the loss of {count} examples is {whole:.6g}, the mean of their own losses {own.mean():.6g}: examples are "
            "mixed, as by a target of shape [N, 1] beside predictions [N]"
        )
    alone = torch.cat([factor * gradient for _, gradient in parts])
    if not _near(slope, alone, alone):
        raise BrokenTask("the gradient in one example's prediction depends on other examples: examples are mixed")


def check_metrics(task: Task, found: Mapping[str, float]) -> None:
    """``evaluate`` gave exactly the declared metrics, all of them finite numbers."""
    if not isinstance(found, Mapping) or set(found) != set(task.metrics):
        names = ", ".join(sorted(found)) if isinstance(found, Mapping) else _what(found)
        raise BrokenTask(f"evaluate gives {names or 'nothing'}; declared are {', '.join(sorted(task.metrics))}")
    for name, value in found.items():
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            raise BrokenTask(f"evaluate gives {name} = {value!r:.40}, which is no finite number")


def check_evaluation(task: Task, split: Split) -> None:
    """A random prediction for a split gets exactly the declared metrics."""
    predict = guesser(task.output)
    check_metrics(task, task.evaluate(predict(split), split, predict))


def guess(spec: OutputSpec, count: int, scale: float = 1.0, seed: int = 0) -> Any:
    """A random prediction for ``count`` examples: normal numbers times ``scale``, presence uniform in (0, 1)."""
    generator = torch.Generator().manual_seed(seed)
    match spec:
        case SetSpec(features=features, max_size=slots):
            elements = scale * torch.randn(count, slots, features, generator=generator)
            return PredictedSets(elements, torch.rand(count, slots, generator=generator))
        case LabelSpec(classes):
            return scale * torch.randn(count, classes, generator=generator)
        case _:
            return scale * torch.randn(count, generator=generator)


def guesser(spec: OutputSpec) -> Callable[[Split], Any]:
    """A random prediction for any split, as ``evaluate`` asks for them."""
    return lambda split: guess(spec, len(split))


def _loss(task: Task, prediction: Any, targets: Any) -> tuple[Tensor, Tensor]:
    """The loss, and its gradient in the prediction as [examples, numbers]."""
    parts = [part.clone().requires_grad_() for part in _parts(prediction)]
    loss = task.loss(PredictedSets(*parts) if len(parts) == 2 else parts[0], targets)
    if not isinstance(loss, Tensor) or loss.shape != ():
        raise BrokenTask(f"the loss is {_what(loss)}, not a scalar")
    if not loss.isfinite():
        raise BrokenTask(f"the loss of a finite prediction is {loss.item()}")
    if not loss.requires_grad:
        raise BrokenTask("the loss has no gradient in the prediction")
    gradients = torch.autograd.grad(loss, parts, allow_unused=True, materialize_grads=True)
    slope = torch.cat([gradient.flatten(1) if gradient.dim() > 1 else gradient[:, None] for gradient in gradients], 1)
    if not slope.isfinite().all():
        raise BrokenTask("the gradient of the loss is not finite")
    return loss.detach(), slope


def _near(left: Tensor, right: Tensor, scale: Tensor) -> bool:
    return bool((left - right).abs().max() <= _SAME * scale.abs().max().clamp(min=1e-12))


def _parts(values: Any) -> tuple[Tensor, ...]:
    return tuple(values) if isinstance(values, tuple) else (values,)


def _one(values: Any, k: int) -> Any:
    return type(values)(*(part[k : k + 1] for part in values)) if isinstance(values, tuple) else values[k : k + 1]


def _sets(which: str, spec: SetSpec, sets: Any, count: int) -> None:
    if not isinstance(sets, SetBatch):
        raise BrokenTask(f"{which} are {_what(sets)}, not a SetBatch")
    size = sets.mask.shape[1] if sets.mask.dim() == 2 else spec.max_size
    _tensor(f"{which}: elements", sets.elements, (count, size, spec.features), torch.float32)
    _tensor(f"{which}: mask", sets.mask, (count, size), torch.bool)
    if size > spec.max_size:
        raise BrokenTask(f"{which} have room for {size} elements; the entry says at most {spec.max_size}")
    if sets.elements.masked_fill(sets.mask[..., None], 0).count_nonzero():
        raise BrokenTask(f"{which}: padding is not zero")


def _tensor(which: str, values: Any, shape: tuple[int, ...], dtype: torch.dtype) -> None:
    _shape(which, values, shape)
    if values.dtype != dtype:
        raise BrokenTask(f"{which}: {values.dtype}, not {dtype}")
    if not values.isfinite().all():
        raise BrokenTask(f"{which} are not finite")


def _shape(which: str, values: Any, shape: tuple[int, ...]) -> None:
    if not isinstance(values, Tensor) or values.shape != shape:
        raise BrokenTask(f"{which}: {_what(values)}, not shape {list(shape)}")


def _what(values: Any) -> str:
    return f"shape {list(values.shape)}" if isinstance(values, Tensor) else f"a {type(values).__name__}"
