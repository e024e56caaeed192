"""The whole at one glance: the best of each paradigm on each task, and mean ranks over equal subsets."""

from __future__ import annotations

import statistics
from collections.abc import Sequence

from setbench.bench.report.document import Block, Grid, Heading, TableCell, Text
from setbench.bench.report.numbers import NOTHING, number
from setbench.bench.report.sections import FLOOR, INCOMPLETE, ODD, column, scored
from setbench.bench.report.tables import Result, Table
from setbench.models.entry import PARADIGMS


def overview(tables: Sequence[Table]) -> list[Block]:
    """A grid of tasks against paradigms for each preset, device, number of threads and precision."""
    blocks: list[Block] = []
    groups: dict[tuple[str, ...], list[Table]] = {}
    for table in tables:
        if table.models:
            groups.setdefault((table.key.preset, table.key.device, *table.key.computed), []).append(table)
    for common, group in groups.items():
        blocks += [Heading(" · ".join(filter(None, ("At a glance", *common))), 2), _best(group)]
        blocks.append(
            Text(
                f"Each cell is the best row of its paradigm, the best of the task in bold. {FLOOR} is not better than "
                f"the best constant answer; {INCOMPLETE} lacks a seed, and stands here only where no row of its "
                f"paradigm is complete; {ODD} is a median, since a seed exploded or collapsed. A paradigm with more "
                "rows has had more tries. Rows: how many have a result, of all on the task; the tables below say why "
                "the others have none."
            )
        )
        blocks += _mean_ranks(group)
    return blocks


def paradigms(tables: Sequence[Table]) -> list[str]:
    """Those that occur, in the suite's order."""
    found = dict.fromkeys(result.paradigm for table in tables for result in table.results if not result.constant)
    return [*(name for name in PARADIGMS if name in found), *(name for name in found if name not in PARADIGMS)]


def _best(tables: Sequence[Table]) -> Grid:
    names = paradigms(tables)
    rows = []
    for table in tables:
        row = [TableCell(_task(table, tables)), TableCell(column(table, table.headline))]
        for name in names:
            best = next((result for result in table.models if result.paradigm == name), None)
            row.append(
                TableCell(NOTHING) if best is None else scored(table, best, table.headline, strong=table.best(best))
            )
        constant = table.constant
        row.append(TableCell(NOTHING) if constant is None else scored(table, constant, table.headline))
        total = [result for result in table.results if not result.constant]
        row.append(TableCell(f"{len(table.models)} of {len(total)}", len(table.models)))
        rows.append(row)
    columns = ["task", "metric", *(name or "other" for name in names), "constant answer", "rows"]
    return Grid(columns, rows, frozenset(columns) - {"task", "metric"})


def _task(table: Table, among: Sequence[Table]) -> str:
    alone = sum(other.key.task == table.key.task for other in among) == 1
    return table.key.task if alone else f"{table.key.task} ({table.key.data})"


def encoder_ranks(tables: Sequence[Table]) -> tuple[dict[str, list[int]], list[str]]:
    """Ranks of every encoder that has a result under every seed on each of the tables, among these encoders alone (each
    by its best row); and the encoders left out since they lack one: a mean over unequal subsets would reward failing.
    """
    best: list[dict[str, float]] = []
    for table in tables:
        scores: dict[str, float] = {}
        for result in table.models:
            value = table.score(result)
            if result.encoder and value and result.complete:
                scores.setdefault(result.encoder, value.centre)  # models come best first
        best.append(scores)
    everyone = dict.fromkeys(result.encoder for table in tables for result in table.results if result.encoder)
    complete = [name for name in everyone if all(name in scores for scores in best)]
    ranks: dict[str, list[int]] = {name: [] for name in complete}
    for table, scores in zip(tables, best, strict=True):
        sign = -1 if table.higher_is_better(table.headline) else 1
        for name in complete:
            ranks[name].append(1 + sum(sign * scores[other] < sign * scores[name] for other in complete))
    return ranks, [name for name in everyone if name not in ranks]


def _mean_ranks(tables: Sequence[Table]) -> list[Block]:
    encoding = [table for table in tables if any(result.encoder for result in table.results)]
    ranks, left_out = encoder_ranks(encoding)
    if len(ranks) < 2 or len(encoding) < 2:
        return []
    of: dict[str, Result] = {row.encoder: row for table in encoding for row in table.results if row.encoder}
    rows = [
        [
            TableCell(name),
            TableCell(of[name].paradigm),
            TableCell(number(statistics.fmean(found)), statistics.fmean(found)),
            TableCell(f"{min(found)} to {max(found)}"),
        ]
        for name, found in sorted(ranks.items(), key=lambda item: statistics.fmean(item[1]))
    ]
    lacking = (
        f" Left out, lacking a result or a seed on one of them or more: {', '.join(left_out)}." if left_out else ""
    )
    text = (
        f"Mean rank over the {len(encoding)} tasks, among the {len(ranks)} encoders that have a result on every one of "
        f"them, each by its best row; 1 is best.{lacking}"
    )
    columns = ["encoder", "paradigm", "mean rank", "ranks"]
    return [Text(text), Grid(columns, rows, frozenset({"mean rank", "ranks"}))]
