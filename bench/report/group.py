"""The rows of one table that cannot be told from the best one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float

from setbench.bench.report.result import Result
from setbench.bench.report.statistics.comparisons import apart
from setbench.bench.report.statistics.items import independent_items


class Group(NamedTuple):
    """``reference``: the best row, ``by_validation`` or, where a row has no score on validation, by the test split.

    ``members``: the rows that are not told from it or are better, itself among them, best first. ``smallest``: the
    difference at which the middle one of the other rows would be told from it; None where there is no other.
    ``items``: independent test items that the comparison is over, None where it is over seeds alone. ``rows``: all that
    were compared, best first, and ``told`` which of them are told apart.
    """

    reference: Result
    by_validation: bool
    members: list[Result]
    smallest: float | None
    items: int | None
    rows: list[Result]
    told: Bool[np.ndarray, "rows rows"]

    def told_apart(self, one: Result, other: Result) -> bool:
        """Whether two rows are; False where one was not compared."""
        places = [place for result in (one, other) for place, row in enumerate(self.rows) if row is result]
        return len(places) == 2 and bool(self.told[places[0], places[1]])


def group(rows: list[Result], seeds: Sequence[int], higher_is_better: bool) -> Group:
    """Of one row or more, best first, each with a finite result under each of two ``seeds`` or more."""
    sign = 1 if higher_is_better else -1
    known = [score for result in rows if (score := result.validation) is not None]
    by_validation = len(known) == len(rows)
    reference = int(np.argmax(sign * np.array(known))) if by_validation else 0
    if len(rows) == 1:
        return Group(rows[0], by_validation, rows, None, None, rows, np.zeros((1, 1), dtype=bool))
    values, items = _values(rows, seeds)
    with np.errstate(over="ignore"):
        found, means = apart(values, items or 1), sign * values.mean(axis=(1, 2))
    others = found.smallest[reference][np.isfinite(found.smallest[reference])]
    kept = ~found.told[reference] | (means > means[reference])
    return Group(
        rows[reference],
        by_validation,
        [result for result, there in zip(rows, kept, strict=True) if there],
        float(np.median(others)) if len(others) else None,
        items,
        rows,
        found.told,
    )


def _values(rows: Sequence[Result], seeds: Sequence[int]) -> tuple[Float[np.ndarray, "rows seeds items"], int | None]:
    """Scores of all items and how many of them are independent, where every row has kept them; else of the whole
    split."""
    there = [[record.seed in seeds for record in result.ok] for result in rows]
    kept = [result.items[under] for result, under in zip(rows, there, strict=True) if result.items is not None]
    if len(kept) == len(rows) and len({values.shape for values in kept}) == 1:
        count = kept[0].shape[1]
        return np.stack(kept), min(independent_items(result.ok, count) for result in rows)
    scores = [[found.score for found in result.measured] for result in rows]
    of_seeds = [np.array(row, dtype=float)[under] for row, under in zip(scores, there, strict=True)]
    return np.stack(of_seeds)[:, :, None], None
