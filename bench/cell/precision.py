"""What a cell computes in: float32, float32 with TF32 products, or float32 under autocast to bfloat16.

``float32``: as the weights are. Torch's own default lets cuDNN's convolutions run in TF32 on CUDA: here it is off.
``tf32``: products and convolutions on CUDA take ten bits of each factor, forward and back; a CPU has no such thing.
``bf16``: a model's forward runs under ``torch.autocast`` to bfloat16, in training and in evaluation; weights, their
gradients and moments stay in float32, and so do losses, matching, metrics, DSPN's sets and the steps added to them.

Whatever is chosen, the step of DSPN is calibrated, the reference operation timed and the invariance error measured in
float32 (the latter in float64 too).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

import torch
from torch import Tensor

from setbench.bench.records.record import Precision
from setbench.models.interfaces import TaskLoss
from setbench.models.ops.precision import at_least_single, full_precision


@contextmanager
def products_in(precision: Precision) -> Iterator[None]:
    """Within it CUDA's float32 products are TF32 where the precision says so, and exact elsewhere."""
    flags: tuple[Any, Any] = (torch.backends.cuda.matmul, torch.backends.cudnn)
    before = [flag.allow_tf32 for flag in flags]
    for flag in flags:
        flag.allow_tf32 = precision == "tf32"
    try:
        yield
    finally:
        for flag, old in zip(flags, before, strict=True):
            flag.allow_tf32 = old


def lowered(device: torch.device, precision: Precision) -> AbstractContextManager[object]:
    """What a model's forward runs in."""
    return torch.autocast(device.type, torch.bfloat16) if precision == "bf16" else nullcontext()


def raised(prediction: Any) -> Any:
    """A prediction, or a tuple of tensors, in float32 where it came in less; others as they are."""
    if isinstance(prediction, tuple):
        parts = [at_least_single(part) if part.is_floating_point() else part for part in prediction]
        return type(prediction)(*parts)
    return at_least_single(prediction)


def in_single(loss: TaskLoss) -> TaskLoss:
    """A task's loss as it is without autocast, wherever it is called: of predictions in float32 at the least."""

    def exact(prediction: Any, targets: Any) -> Tensor:
        first = prediction[0] if isinstance(prediction, tuple) else prediction
        with full_precision(first.device):
            return loss(raised(prediction), targets)

    return exact
