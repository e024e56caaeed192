"""The columns of a task's table: what stands in a cell, by what it is sorted, and which end is best."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from setbench.bench.report.document import TableCell
from setbench.bench.report.numbers import NOTHING, Spread, count, error, number, spread
from setbench.bench.report.result import Result
from setbench.bench.report.sections import BROKEN, INCOMPLETE, column, readable, scored, status
from setbench.bench.report.tables import Table, distinct

Make = Callable[[Table, Result], TableCell]

SCORE = "score"
"""The key of the headline's column."""
METRIC = "metric."
"""What the key of another metric's column begins with."""


@dataclass(frozen=True)
class Column:
    """One column.

    ``choice`` is what it is called where columns are chosen (all metrics beside the headline are one choice),
    ``meaning`` is its tooltip. ``higher`` says which end is best first; text begins with a. ``shown``: before anybody
    has chosen.
    """

    key: str
    name: str
    make: Make
    choice: str
    meaning: str = ""
    numeric: bool = True
    higher: bool = False
    shown: bool = True


def columns(table: Table) -> list[Column]:
    """All that a table has, in order."""
    latency = "latency (× reference)" if table.in_references else "latency (ms)"
    return [
        Column("rank", "rank", _rank, "rank", "1 is best by the headline; the constant answer takes none"),
        Column("model", "model", _model, "model", numeric=False),
        Column("paradigm", "paradigm", lambda _, row: TableCell(row.paradigm), "paradigm", numeric=False, shown=False),
        *(_metric(table, name) for name in ([table.headline] if table.headline in table.metric_info else [])),
        *(_metric(table, name) for name in readable(table)[0] if name != table.headline),
        Column("train", "train (s)", lambda _, row: _spread(row.train), "training time", "seconds of training alone"),
        Column("latency", latency, _latency, "latency", "to predict one batch, the median"),
        Column("memory", "memory (MB)", lambda _, row: _spread(memory(row)), "memory", "peak, added to its process"),
        Column("parameters", "parameters", lambda _, row: _count(row.parameters), "parameters"),
        Column(
            "invariance", "invariance error", _invariance, "invariance error",
            "the largest |f(px) - f(x)| / |f(x)| over random orders, in float64: an exact method shows about 1e-15",
        ),
        Column(
            "invariance32", "in float32", _invariance32, "invariance error in float32",
            "the same in float32: an exact method shows about 1e-7", shown=False,
        ),
        Column(
            "spread", "error / spread", lambda _, row: TableCell(error(row.error_to_spread), row.error_to_spread),
            "error / spread", "mean |f(px) - f(x)| over the median |f(x) - f(x')| between different sets", shown=False,
        ),
        Column("validation", "validation", lambda _, row: _plain(row.validation), "validation score",
               "the headline on a part of the validation split, at the end of training",
               higher=_higher(table), shown=False),
        Column("seeds", "seeds", _seeds, "seeds", "that have a result", higher=True, shown=False),
        Column("status", "status", _status, "status", numeric=False, shown=False),
    ]  # fmt: skip


def memory(row: Result) -> Spread | None:
    """Peak megabytes over the seeds that have a result."""
    return spread(found.peak_memory_mb for found in row.measured)


def _higher(table: Table) -> bool:
    return table.headline in table.metric_info and table.higher_is_better(table.headline)


def _metric(table: Table, name: str) -> Column:
    info, headline = table.metric_info[name], name == table.headline

    def make(table: Table, row: Result) -> TableCell:
        if table.score(row) is None and not row.ok:  # in place of a score, why there is none
            said = ", ".join(status.replace("_", " ") for status in row.statuses) if headline else NOTHING
            return TableCell(said)
        return scored(table, row, name, strong=headline and best(table, row))

    return Column(
        SCORE if headline else METRIC + name,
        column(table, name),
        make,
        "score" if headline else "other metrics",
        info.meaning,
        higher=info.higher_is_better,
        shown=headline,
    )


def best(table: Table, row: Result) -> bool:
    """Whether it is one of those that stand in bold."""
    return table.score(row) is not None and table.best(row)


def _rank(table: Table, row: Result) -> TableCell:
    if row.constant or table.score(row) is None:
        return TableCell("")
    rank = table.rank(row)
    return TableCell(f"{rank}" if row.complete else f"{rank} {INCOMPLETE}", rank)


def _model(table: Table, row: Result) -> TableCell:
    return TableCell(row.label, strong=best(table, row), quiet=row.constant)


def _latency(table: Table, row: Result) -> TableCell:
    return _spread(row.latency_ratio if table.in_references else row.latency)


def _spread(value: Spread | None) -> TableCell:
    return _plain(None if value is None else value.centre)


def _plain(value: float | None) -> TableCell:
    return TableCell(number(value), value)


def _count(value: int | None) -> TableCell:
    return TableCell(count(value), value)


def _invariance(_: Table, row: Result) -> TableCell:
    mark = f" {BROKEN}" if row.breaks_claim else ""
    return TableCell(f"{error(row.error64)}{mark}", row.error64)


def _invariance32(_: Table, row: Result) -> TableCell:
    kinds = distinct(found.invariance.dtype for found in row.measured if found.invariance is not None)
    other = f" ({kinds[0]})" if kinds and kinds != ["float32"] else ""
    return TableCell(f"{error(row.error)}{other}", row.error)


def _seeds(_: Table, row: Result) -> TableCell:
    tried = len({*row.missing, *(record.seed for record in row.records)})
    return TableCell("" if row.constant else f"{len(row.ok)} of {tried}", len(row.ok))


def _status(table: Table, row: Result) -> TableCell:
    return TableCell("" if row.constant else status(table, row))
