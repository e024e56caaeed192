"""How encoders stand over several tables: ranks over equal subsets alone, and the blocks that tasks form."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Float

from setbench.bench.report.statistics.ranks import MeanRanks, mean_ranks, ranks
from setbench.bench.report.tables import Table
from setbench.tasks.catalogue import TASKS

PERFECT = {("%", True): 100.0}
"""The best value of a metric by unit and direction; 0 of any of which less is better."""


@dataclass(frozen=True)
class Standing:
    """Encoders that have a result under every seed on each of some tables, each by its best row, among these encoders
    alone; those ``left_out`` lack one: a mean over unequal subsets would reward failing.

    ``ranks`` and ``errors``: [encoders, tasks]; errors as shares of the best constant answer's, or ranks where a task
    has no such answer or nobody knows its best value. Of a row of which a seed exploded it is the median's.
    """

    encoders: list[str]
    paradigms: list[str]
    tasks: list[str]
    left_out: list[str]
    ranks: Float[np.ndarray, "encoders tasks"]
    errors: Float[np.ndarray, "encoders tasks"]

    @cached_property
    def families(self) -> dict[str, list[int]]:
        """The blocks: which tasks are of one family."""
        found: dict[str, list[int]] = {}
        for place, task in enumerate(self.tasks):
            family = TASKS[task].family if task in TASKS else ""
            found.setdefault(family or task, []).append(place)
        return found

    @cached_property
    def means(self) -> MeanRanks:
        """Of two encoders or more over two blocks or more."""
        return mean_ranks(self._blocks(self.ranks), self._blocks(self.errors))

    def _blocks(self, values: Float[np.ndarray, "encoders tasks"]) -> Float[np.ndarray, "encoders blocks"]:
        return np.stack([values[:, places].mean(axis=1) for places in self.families.values()], axis=1)


@dataclass(frozen=True)
class Alike:
    """Tables with a ranked row that have preset, device, number of threads and precision in ``common``."""

    common: tuple[str, ...]
    tables: list[Table]

    @cached_property
    def standing(self) -> Standing | None:
        """As :func:`standing` finds it."""
        return standing(self.tables)


def alike(tables: Sequence[Table]) -> list[Alike]:
    """The groups that such tables form."""
    groups: dict[tuple[str, ...], list[Table]] = {}
    for table in tables:
        if table.models:
            groups.setdefault((table.key.preset, table.key.device, *table.key.computed), []).append(table)
    return [Alike(common, group) for common, group in groups.items()]


def standing(tables: Sequence[Table]) -> Standing | None:
    """None where less than two encoders have a result everywhere, or there are less than two blocks."""
    encoding = [table for table in tables if any(result.encoder for result in table.results)]
    best: list[dict[str, float]] = []
    for table in encoding:
        scores: dict[str, float] = {}
        for result in table.models:
            value = table.score(result)
            if result.encoder and value and result.complete:
                scores.setdefault(result.encoder, value.centre)  # models come best first
        best.append(scores)
    everyone = {row.encoder: row.paradigm for table in encoding for row in table.results if row.encoder}
    names = [name for name in everyone if all(name in scores for scores in best)]
    if len(names) < 2:
        return None
    centres = np.array([[scores[name] for scores in best] for name in names])
    signs = np.array([-1.0 if table.higher_is_better(table.headline) else 1.0 for table in encoding])
    own = ranks(signs * centres)
    errors = [_errors(table, column) for table, column in zip(encoding, centres.T, strict=True)]
    known = [column for column in errors if column is not None]
    found = Standing(
        names,
        [everyone[name] for name in names],
        [table.key.task for table in encoding],
        [name for name in everyone if name not in names],
        own,
        np.stack(known, axis=1) if len(known) == len(errors) else own,
    )
    return found if len(found.families) > 1 else None


def _errors(table: Table, centres: Float[np.ndarray, " encoders"]) -> Float[np.ndarray, " encoders"] | None:
    """How far from perfect, as a share of the best constant answer's error."""
    info = table.metric_info[table.headline]
    perfect = PERFECT.get((info.unit, info.higher_is_better), None if info.higher_is_better else 0.0)
    floor = table.score(table.constant) if table.constant else None
    if perfect is None or floor is None or floor.centre == perfect:
        return None
    errors: Float[np.ndarray, " encoders"] = (centres - perfect) / (floor.centre - perfect)
    return errors
