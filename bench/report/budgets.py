"""Accuracy against seconds: which row is best within so many seconds of training.

    python -m setbench.bench.report.budgets RESULTS... --out DIR

reads results folders of one preset at several lengths (``--shorten 3``, ``--shorten 9``, …), each run trained to the
end of its own schedule, and writes ``DIR/README.md`` and a figure a task. A cosine cut short would be unfair to the
rows that it cuts, so no point of a learning curve counts here.
"""

from __future__ import annotations

import argparse
import shlex
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from setbench.bench.records.record import NewerSchema
from setbench.bench.report.document import Block, Bullets, Code, Grid, Heading, Picture, TableCell, Text
from setbench.bench.report.folder import tables_in
from setbench.bench.report.markdown import render
from setbench.bench.report.numbers import NOTHING, number
from setbench.bench.report.provenance import how_it_was_run
from setbench.bench.report.result import Result
from setbench.bench.report.sections import column, scored
from setbench.bench.report.tables import Table
from setbench.files import write_atomically

SECONDS = (1, 3, 10, 30, 100)


@dataclass(frozen=True)
class Trained:
    """A row trained at one length: its table, and the mean seconds of its training."""

    table: Table
    result: Result
    seconds: float


@dataclass(frozen=True)
class Lengths:
    """Tables of one task on the same data, device, threads and precision, the longest training first."""

    tables: list[Table]

    @property
    def task(self) -> str:
        return self.tables[0].key.task

    @property
    def trained(self) -> list[Trained]:
        """Every ranked row of every length that has a time and every seed."""
        return [
            Trained(table, result, time.centre)
            for table in self.tables
            for result in table.models
            if (time := result.train) is not None and result.complete
        ]

    def best(self, seconds: float) -> Trained | None:
        """Of those trained in at most so many seconds the best on the validation split; None where there is none."""
        sign = 1 if self.tables[0].higher_is_better(self.tables[0].headline) else -1
        known = [
            (sign * score, -one.seconds, place, one)
            for place, one in enumerate(self.trained)
            if one.seconds <= seconds and (score := one.result.validation) is not None
        ]
        return max(known)[-1] if known else None


def lengths(found: Sequence[Table]) -> list[Lengths]:
    """The tables with a ranked row, by task and by all that they share but the preset."""
    groups: dict[tuple[object, ...], list[Table]] = {}
    for table in found:
        if table.models:
            key = table.key
            groups.setdefault((key.task, key.data, key.kind, key.checksum, key.device, *key.computed), []).append(table)
    return [Lengths(sorted(group, key=steps, reverse=True)) for group in groups.values()]


def steps(table: Table) -> int:
    """Of the first of its models: all of a table have the same."""
    return int(table.models[0].records[0].settings["steps"])


def page(found: Sequence[Lengths], command: str) -> list[Block]:
    """What is to be read, as blocks."""
    return [
        Heading("Accuracy against seconds of training", 1),
        Text(
            "Which row is best if training may take so many seconds? Every run was trained to the end of its own "
            "schedule: the same preset at several lengths. Within each limit the row and length are those that are "
            "best on the validation split; what stands here is their score on the test split, ± half of its 95 % "
            "interval, and the seconds that they took. † is not better than the best constant answer."
        ),
        _grid(found),
        *[block for one in found for block in _section(one)],
        Heading("How it was run", 2),
        Code([command]),
    ]


def _grid(found: Sequence[Lengths]) -> Grid:
    columns = ["task", "metric", *(f"within {limit} s" for limit in SECONDS), "constant answer"]
    rows = []
    for one in found:
        table = one.tables[0]
        best = [_cell(one.best(limit)) for limit in SECONDS]
        constant = scored(table, table.constant, table.headline) if table.constant else TableCell(NOTHING)
        rows.append([TableCell(one.task), TableCell(column(table, table.headline)), *best, constant])
    return Grid(columns, rows, frozenset({"constant answer"}))


def _cell(best: Trained | None) -> TableCell:
    if best is None:
        return TableCell(NOTHING)
    value = scored(best.table, best.result, best.table.headline)
    return TableCell(f"{best.result.label}: {value.text} ({number(best.seconds, 2)} s)", value.value)


def _section(one: Lengths) -> list[Block]:
    table = one.tables[0]
    how = [f"{table.key.preset}: {steps(table):,} steps" for table in one.tables]
    alt = f"{table.headline} of every row against its seconds of training, at {len(one.tables)} lengths"
    facts = [f"Lengths: {', '.join(how)}. {len(table.seeds)} seeds.", *how_it_was_run(table)]
    return [Heading(one.task, 2), Picture(figure_path(one), alt), Bullets(facts)]


def figure_path(one: Lengths) -> str:
    """From the page's folder."""
    return f"figures/{one.task}_seconds.png"


def main(words: Sequence[str] | None = None) -> int:
    """Write the page; the exit code: 0, or 2 where there is nothing to show."""
    parser = argparse.ArgumentParser(
        prog="python -m setbench.bench.report.budgets", description="Accuracy against seconds of training."
    )
    parser.add_argument("folders", type=Path, nargs="+", metavar="RESULTS", help="of runs at several lengths")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="for the page and its figures")
    given = parser.parse_args(words)
    found: list[Table] = []
    try:
        for folder in given.folders:
            found += tables_in(folder)
    except (NewerSchema, OSError) as error:
        print(error, file=sys.stderr)
        return 2
    several = [one for one in lengths(found) if len(one.tables) > 1]
    if not several:
        print("no task was trained at two lengths there: run with --shorten 3 beside the whole", file=sys.stderr)
        return 2
    from setbench.bench.report.figures.seconds import seconds_figure
    from setbench.bench.report.figures.style import save

    for one in several:
        save(seconds_figure(one), given.out / figure_path(one))
    command = shlex.join(["python", "-m", "setbench.bench.report.budgets", *(sys.argv[1:] if words is None else words)])
    write_atomically(given.out / "README.md", render(page(several, command)))
    print(f"written: {given.out / 'README.md'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
