"""Slots: all ``max_size`` places of a padded set, with presence as one feature more, as an encoder is to see them.

Here alone presence is joined to the elements, as their last feature, and taken from them.
"""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from setbench.models.ops.padding import no_padding
from setbench.sets import PredictedSets


def merge(sets: PredictedSets) -> Float[Tensor, "batch slots with_presence"]:
    """Elements with their presence behind them, as slots."""
    return torch.cat([sets.elements, sets.presence[..., None]], dim=-1)


def split(slots: Float[Tensor, "batch slots with_presence"]) -> PredictedSets:
    """Elements and presence of slots."""
    return PredictedSets(slots[..., :-1], slots[..., -1])


def clamped(slots: Float[Tensor, "batch slots with_presence"]) -> Float[Tensor, "batch slots with_presence"]:
    """Slots with their presence clamped to [0, 1]."""
    elements, presence = split(slots)
    return merge(PredictedSets(elements, presence.clamp(0, 1)))


def slots_of(
    elements: Float[Tensor, "batch size features"], mask: Bool[Tensor, "batch size"], max_size: int
) -> Float[Tensor, "batch slots with_presence"]:
    """Slots of true sets, padded with zeros to ``max_size``: presence is 1 where real, padding all zero.

    Whatever stood in the padding, and however much of it there was, leaves no trace.

    Raises:
        ValueError: the sets have more places than ``max_size``.
    """
    missing = max_size - elements.shape[1]
    if missing < 0:
        raise ValueError(f"sets of {elements.shape[1]} places do not fit in {max_size} slots")
    slots = merge(PredictedSets(elements.masked_fill(~mask[..., None], 0), mask.to(elements.dtype)))
    return nn.functional.pad(slots, (0, 0, 0, missing))


def encode_slots(
    encoder: nn.Module, slots: Float[Tensor, "batch slots with_presence"]
) -> Float[Tensor, "batch latent"]:
    """Encode all slots as real elements: presence is a feature here, not a mask."""
    return encoder(slots, no_padding(slots))
