"""Coordinates as models meet them: from 0 to 1, as in the papers' code, or centred, as networks want their inputs.

Metrics stay in the papers' units whichever a model sees. Imports no torch.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from setbench.sets import PredictedSets, SetBatch
    from setbench.tasks.entry import Options
    from setbench.tasks.interfaces import DataIdentity

EXTENT = 4.0
"""From one edge to the other where they are centred: a digit's points then have a variance of about 1."""

Array = TypeVar("Array", bound=Any)


def _centred(options: Options) -> bool:
    return options.get("coordinates") == "centred"


def as_seen(identity: DataIdentity, options: Options) -> DataIdentity:
    """Data whose coordinates models see centred are other data."""
    return replace(identity, name=f"{identity.name}, centred") if _centred(options) else identity


def seen(sets: SetBatch, options: Options) -> SetBatch:
    """True sets of coordinates in [0, 1] as a model is to see them; padding stays zero."""
    if not _centred(options):
        return sets
    return sets._replace(elements=((sets.elements - 0.5) * EXTENT).masked_fill(~sets.mask[..., None], 0))


def published(elements: Array, options: Options) -> Array:
    """Elements that a model saw or predicted, with coordinates in [0, 1]."""
    return elements / EXTENT + 0.5 if _centred(options) else elements


def published_sets(sets: PredictedSets, options: Options) -> PredictedSets:
    """What a model predicted, with coordinates in [0, 1]."""
    return sets._replace(elements=published(sets.elements, options))


def published_truth(sets: SetBatch, options: Options) -> SetBatch:
    """True sets that a model saw, with coordinates in [0, 1]; padding stays zero."""
    return sets._replace(elements=published(sets.elements, options).masked_fill(~sets.mask[..., None], 0))
