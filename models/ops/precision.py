"""Where half precision is too coarse to compute in."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext

import torch
from torch import Tensor


def at_least_single(values: Tensor) -> Tensor:
    """bfloat16 and float16 as float32; others as they are."""
    return values.to(torch.promote_types(values.dtype, torch.float32))


def single_under_autocast(values: Tensor) -> Tensor:
    """What layers gave in less than float32 because autocast is on, as float32, to be added to; others as they are."""
    there = torch.amp.is_autocast_available(values.device.type)
    return at_least_single(values) if there and torch.is_autocast_enabled(values.device.type) else values


def full_precision(device: torch.device) -> AbstractContextManager[object]:
    """Within it autocast is off, on devices that have one; what comes in must be cast by hand."""
    if not torch.amp.is_autocast_available(device.type):
        return nullcontext()
    return torch.autocast(device.type, enabled=False)
