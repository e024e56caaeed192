"""The scores of one row as an array: of every test item under every seed, where the cells kept them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Float

from setbench.bench.records.predictions import load_items
from setbench.bench.records.record import Record

SQUARED = "squared_error"
"""Items of a metric that is the root of their mean."""
NEAR = 1e-3


def item_values(records: Sequence[Record], folder: Path | None) -> Float[np.ndarray, "seeds items"] | None:
    """Scores whose mean over the items is the record's headline score, a row for each record; None where items of one
    of them are not kept, or their mean is not that score (a pooled metric, of which there are only parts)."""
    found: list[Float[np.ndarray, " items"]] = []
    for record in records:
        one = None if folder is None else _values(record, folder)
        if one is None or len(one) != len((found or [one])[0]):
            return None
        found.append(one)
    if not found:
        return None
    values = np.array(found)
    return values[:, ~np.isnan(values).any(axis=0)]


def _values(record: Record, folder: Path) -> Float[np.ndarray, " items"] | None:
    measured = record.measured
    if measured is None or measured.score is None:
        return None
    kept, score = load_items(folder, record.id), measured.score
    values = kept.get(measured.headline.metric)
    if values is not None:
        values = values * 100.0 if values.dtype == bool else values.astype(float)
    elif SQUARED in kept and score > 0:
        values = score + (kept[SQUARED].astype(float) - score**2) / (2 * score)  # the root, to first order
    if values is None or not abs(np.nanmean(values) - score) <= NEAR * max(1, abs(score)):
        return None
    return values


def independent_items(records: Sequence[Record], items: int) -> int:
    """How many independent things so many items come from."""
    known = [found.independent_items for record in records if (found := record.measured) and found.independent_items]
    return min([items, *known])
