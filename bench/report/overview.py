"""The whole at one glance: the best of each paradigm on each task, and mean ranks over equal subsets."""

from __future__ import annotations

import statistics
from collections.abc import Sequence

from setbench.bench.report.contents import column, scored
from setbench.bench.report.document import Block, Cell, Grid, Heading, Text
from setbench.bench.report.numbers import NOTHING, number
from setbench.bench.report.tables import Line, Table

PARADIGMS = ("permuting", "sorting", "sampling", "attention", "graphs", "decoder", "control")


def overview(tables: Sequence[Table]) -> list[Block]:
    """A grid of tasks against paradigms for each preset and device."""
    blocks: list[Block] = []
    for preset, device in dict.fromkeys((table.key.preset, table.key.device) for table in tables):
        group = [table for table in tables if (table.key.preset, table.key.device) == (preset, device)]
        group_ranked = [table for table in group if table.models]
        if group_ranked:
            blocks += [Heading(" · ".join(filter(None, ("At a glance", preset, device))), 2), _best(group_ranked)]
            blocks.append(
                Text(
                    "Each cell is the best row of its paradigm, the best of the task in bold; † is not better than the "
                    "best constant answer. A paradigm with more rows has had more tries. Rows: how many have a result, "
                    "of all on the task; the tables below say why the others have none."
                )
            )
            blocks += _mean_ranks(group_ranked)
    return blocks


def paradigms(tables: Sequence[Table]) -> list[str]:
    """Those that occur, in the suite's order."""
    found = dict.fromkeys(line.paradigm for table in tables for line in table.lines if not line.constant)
    return [*(name for name in PARADIGMS if name in found), *(name for name in found if name not in PARADIGMS)]


def _best(tables: Sequence[Table]) -> Grid:
    names = paradigms(tables)
    rows = []
    for table in tables:
        row = [Cell(_task(table, tables)), Cell(column(table, table.headline))]
        for name in names:
            best = next((line for line in table.models if line.paradigm == name), None)
            row.append(
                Cell(NOTHING) if best is None else scored(table, best, table.headline, strong=table.rank(best) == 1)
            )
        constant = table.constant
        row.append(Cell(NOTHING) if constant is None else scored(table, constant, table.headline))
        total = [line for line in table.lines if not line.constant]
        row.append(Cell(f"{len(table.models)} of {len(total)}", len(table.models)))
        rows.append(row)
    columns = ["task", "metric", *(name or "other" for name in names), "constant answer", "rows"]
    return Grid(columns, rows, frozenset(columns) - {"task", "metric"})


def _task(table: Table, among: Sequence[Table]) -> str:
    alone = sum(other.key.task == table.key.task for other in among) == 1
    return table.key.task if alone else f"{table.key.task} ({table.key.data})"


def encoder_ranks(tables: Sequence[Table]) -> tuple[dict[str, list[int]], list[str]]:
    """Ranks of every encoder that has a result on each of the tables, among these encoders alone (each by its best
    row); and the encoders left out since they lack one. A mean over unequal subsets would reward failing."""
    best: list[dict[str, float]] = []
    for table in tables:
        scores: dict[str, float] = {}
        for line in table.models:
            value = table.score(line)
            if line.encoder and value:
                scores.setdefault(line.encoder, value.mean)  # models come best first
        best.append(scores)
    everyone = dict.fromkeys(line.encoder for table in tables for line in table.lines if line.encoder)
    complete = [name for name in everyone if all(name in scores for scores in best)]
    ranks: dict[str, list[int]] = {name: [] for name in complete}
    for table, scores in zip(tables, best, strict=True):
        sign = -1 if table.higher_is_better(table.headline) else 1
        for name in complete:
            ranks[name].append(1 + sum(sign * scores[other] < sign * scores[name] for other in complete))
    return ranks, [name for name in everyone if name not in ranks]


def _mean_ranks(tables: Sequence[Table]) -> list[Block]:
    encoding = [table for table in tables if any(line.encoder for line in table.lines)]
    ranks, left_out = encoder_ranks(encoding)
    if len(ranks) < 2 or len(encoding) < 2:
        return []
    lines: dict[str, Line] = {line.encoder: line for table in encoding for line in table.lines if line.encoder}
    rows = [
        [
            Cell(name),
            Cell(lines[name].paradigm),
            Cell(number(statistics.fmean(found)), statistics.fmean(found)),
            Cell(f"{min(found)} to {max(found)}"),
        ]
        for name, found in sorted(ranks.items(), key=lambda item: statistics.fmean(item[1]))
    ]
    lacking = f" Left out, since they lack a result on one of them or more: {', '.join(left_out)}." if left_out else ""
    told = (
        f"Mean rank over the {len(encoding)} tasks, among the {len(ranks)} encoders that have a result on every one of "
        f"them, each by its best row; 1 is best.{lacking}"
    )
    columns = ["encoder", "paradigm", "mean rank", "ranks"]
    return [Text(told), Grid(columns, rows, frozenset({"mean rank", "ranks"}))]
