"""What is folded under a ranking: more of each row, other metrics, other ways to evaluate, rows without a result."""

from __future__ import annotations

from setbench.bench.records.record import Record, Status
from setbench.bench.report import cells
from setbench.bench.report.document import Block, Bullets, Folded, Grid, TableCell
from setbench.bench.report.numbers import NOTHING, error
from setbench.bench.report.result import Result
from setbench.bench.report.sections import column, readable, scored, status
from setbench.bench.report.tables import Table, why


def more_of_each_row(table: Table) -> list[Block]:
    """Paradigm, invariance in float32, peak memory and status of every ranked model."""
    columns = ["model", "paradigm", "invariance in float32", "error / spread", "memory (MB)", "status"]
    rows = [
        [
            TableCell(result.label),
            TableCell(result.paradigm),
            cells.invariance32(result),
            TableCell(error(result.error_to_spread), result.error_to_spread),
            cells.centre(result.memory),
            TableCell(status(table, result)),
        ]
        for result in table.models
    ]
    grid = Grid(columns, rows, frozenset(columns[2:5]))
    return [Folded("More of each row: paradigm, invariance in float32, memory, status", [grid])] if rows else []


def other_metrics(table: Table) -> list[Block]:
    """The metrics beside the headline, as it is evaluated, and what each means."""
    listed, rest = readable(table)
    metrics = [name for name in listed if name != table.headline]
    found = {name: table.metric_info[name].meaning.strip().rstrip(".") for name in metrics}
    words = [f"{name}: {meaning}." for name, meaning in found.items() if meaning]
    words += [f"In leaderboard.csv alone: {', '.join(rest)}."] if rest else []
    if not metrics:
        return []
    columns = ["model", *(column(table, metric) for metric in metrics)]
    rows = [
        [TableCell(result.label, quiet=result.constant), *(scored(table, result, metric) for metric in metrics)]
        for result in table.ranked
    ]
    grid = Grid(columns, rows, frozenset(columns[1:]))
    return [Folded(f"Other metrics: {', '.join(metrics)}", [*([Bullets(words)] if words else []), grid])]


def other_variants(table: Table) -> list[Block]:
    """The headline of the same weights, evaluated in more than one way: a table for rows with the same ways."""
    groups: dict[tuple[str, ...], list[Result]] = {}
    for result in table.ranked:
        if len(result.variants) > 1:
            groups.setdefault(tuple(sorted(result.variants, key=_natural)), []).append(result)
    grids = []
    for variants, results in groups.items():
        rows = [
            [TableCell(result.label), *(scored(table, result, table.headline, variant) for variant in variants)]
            for result in results
        ]
        columns = ["model", *(variant or NOTHING for variant in variants)]
        grids.append(Grid(columns, rows, frozenset(columns[1:])))
    summary = f"The same weights, evaluated in more than one way: {column(table, table.headline)}" if grids else ""
    return [Folded(summary, grids)] if grids else []


def _natural(variant: str) -> tuple[str, float]:
    """``T=5`` before ``T=10``."""
    name, _, budget = variant.partition("=")
    return name, float(budget) if budget.replace(".", "", 1).isdecimal() else 0.0


def without_result(table: Table) -> list[Block]:
    """A line for every row that is not ranked, and for every status among the seeds of those that are."""
    rows = []
    for result in sorted(table.results, key=lambda result: table.score(result) is not None):
        found: dict[tuple[str, str], list[Record]] = {}
        for record in result.records:
            found.setdefault((record.status, _reason(table, result, record)), []).append(record)
        for (state, reason), records in found.items():
            if state != Status.OK or reason:
                seeds = ", ".join(str(record.seed) for record in records)
                rows.append([TableCell(text) for text in (result.label, seeds, state, reason)])
    if not rows:
        return []
    count = len(table.unranked)
    summary = f"Rows without a result: {count}" if count else "Seeds without a result"
    return [Folded(summary, [Grid(["model", "seed", "status", "why"], rows, frozenset({"seed"}))])]


def _reason(table: Table, result: Result, record: Record) -> str:
    if record.measured is not None:
        finite = record.measured.score is not None and table.score(result) is not None
        return "" if finite else f"no finite {table.headline or 'headline metric'}: not ranked"
    return why(record) + (f" (traceback: records/{record.id}.json)" if record.traceback else "")
