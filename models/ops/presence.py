"""Slots: all ``max_size`` places of a padded set, with presence as one feature more, as an encoder is to see them."""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from setbench.models.interfaces import PredictedSets


def slots_of(
    elements: Float[Tensor, "batch size features"], mask: Bool[Tensor, "batch size"], max_size: int
) -> Float[Tensor, "batch slots with_presence"]:
    """``cat([elements, presence])`` padded with zeros to ``max_size``: presence is 1 where real, padding all zero.

    Whatever stood in the padding, and however much of it there was, leaves no trace.

    Raises:
        ValueError: the sets have more places than ``max_size``.
    """
    missing = max_size - elements.shape[1]
    if missing < 0:
        raise ValueError(f"sets of {elements.shape[1]} places do not fit in {max_size} slots")
    slots = torch.cat([elements.masked_fill(~mask[..., None], 0), mask[..., None].to(elements.dtype)], dim=-1)
    return nn.functional.pad(slots, (0, 0, 0, missing))


def encode_slots(
    encoder: nn.Module, slots: Float[Tensor, "batch slots with_presence"]
) -> Float[Tensor, "batch latent"]:
    """Encode all slots as real elements: presence is a feature here, not a mask."""
    return encoder(slots, torch.ones(slots.shape[:2], dtype=torch.bool, device=slots.device))


def split(slots: Float[Tensor, "batch slots with_presence"]) -> PredictedSets:
    """Elements and presence of slots; the last feature is presence."""
    return PredictedSets(slots[..., :-1], slots[..., -1])
