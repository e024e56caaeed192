"""Batches of sets, as tasks and models hand them to one another."""

from __future__ import annotations

from typing import NamedTuple

from jaxtyping import Bool, Float
from torch import Tensor


class SetBatch(NamedTuple):
    """A batch of true sets. ``mask`` is True where an element is real; padding is zero."""

    elements: Float[Tensor, "batch size features"]
    mask: Bool[Tensor, "batch size"]


class PredictedSets(NamedTuple):
    """A batch of predicted sets. ``presence`` is the raw score that a slot is real; nothing squashes it."""

    elements: Float[Tensor, "batch slots features"]
    presence: Float[Tensor, "batch slots"]
