"""Padding filled, at no cost where it is known that there is none."""

from __future__ import annotations

import torch
from jaxtyping import Bool, Shaped
from torch import Tensor

FULL = "all True, and known to be"
"""What a mask carries that was made so."""


def no_padding(values: Shaped[Tensor, "batch size features"]) -> Bool[Tensor, "batch size"]:
    """A mask of sets whose places are all real, which :func:`all_real` knows of it on any device."""
    mask = torch.ones(values.shape[:2], dtype=torch.bool, device=values.device)
    vars(mask)[FULL] = True
    return mask


def all_real(mask: Bool[Tensor, "*batch size"]) -> bool:
    """Whether every place is known to be real. Of the devices only the CPU is asked: to ask another is to wait for
    it."""
    return FULL in vars(mask) or (mask.device.type == "cpu" and bool(mask.all()))


def filled(values: Tensor, mask: Bool[Tensor, "*places"], value: float = 0) -> Tensor:
    """``values`` with ``value`` wherever ``mask``, which broadcasts to their shape, is False.

    In DSPN's inner loop every slot is real: there this is T times nothing, not T copies and twice as many in training.
    """
    return values if all_real(mask) else torch.where(mask, values, value)
