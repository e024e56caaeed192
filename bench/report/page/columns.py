"""The columns of a task's table: what stands in a cell, by what it is sorted, and which end is best."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from setbench.bench.report import cells
from setbench.bench.report.document import TableCell
from setbench.bench.report.numbers import NOTHING, error
from setbench.bench.report.result import Result
from setbench.bench.report.sections import column, readable, scored, status
from setbench.bench.report.tables import Table

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
    return [
        Column("rank", "rank", cells.rank, "rank", "1 is best by the headline; the constant answer takes none"),
        Column("model", "model", _model, "model", numeric=False),
        Column("paradigm", "paradigm", lambda _, row: TableCell(row.paradigm), "paradigm", numeric=False, shown=False),
        *(_metric(table, name) for name in ([table.headline] if table.headline in table.metric_info else [])),
        *(_metric(table, name) for name in readable(table)[0] if name != table.headline),
        Column(
            "train", "train (s)", lambda _, row: cells.centre(row.train), "training time", "seconds of training alone",
        ),
        Column("latency", cells.latency_head(table), _latency, "latency", "to predict one batch, the median"),
        Column(
            "memory", "memory (MB)", lambda _, row: cells.centre(row.memory), "memory", "peak, added to its process",
        ),
        Column("parameters", "parameters", lambda _, row: cells.parameters(row), "parameters"),
        Column(
            "invariance", "invariance error", lambda _, row: cells.invariance(row), "invariance error",
            "the largest |f(px) - f(x)| / |f(x)| over random orders, in float64: an exact method shows about 1e-15",
        ),
        Column(
            "invariance32", "in float32", lambda _, row: cells.invariance32(row), "invariance error in float32",
            "the same in float32: an exact method shows about 1e-7", shown=False,
        ),
        Column(
            "spread", "error / spread", lambda _, row: TableCell(error(row.error_to_spread), row.error_to_spread),
            "error / spread", "mean |f(px) - f(x)| over the median |f(x) - f(x')| between different sets", shown=False,
        ),
        Column("validation", "validation", lambda _, row: cells.plain(row.validation), "validation score",
               "the headline on a part of the validation split, at the end of training",
               higher=_higher(table), shown=False),
        Column("seeds", "seeds", _seeds, "seeds", "that have a result", higher=True, shown=False),
        Column("status", "status", _status, "status", numeric=False, shown=False),
    ]  # fmt: skip


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


def _model(table: Table, row: Result) -> TableCell:
    return TableCell(row.label, strong=best(table, row), quiet=row.constant)


def _latency(table: Table, row: Result) -> TableCell:
    return cells.centre(cells.latency(table, row))


def _seeds(_: Table, row: Result) -> TableCell:
    tried = len({*row.missing, *(record.seed for record in row.records)})
    return TableCell("" if row.constant else f"{len(row.ok)} of {tried}", len(row.ok))


def _status(table: Table, row: Result) -> TableCell:
    return TableCell("" if row.constant else status(table, row))
