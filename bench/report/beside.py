"""The same rows twice: two results folders, task by task, in the same metric, and whether their orders agree.

    python -m setbench.bench.report.beside RESULTS OTHER --names rendered real --out DIR

for models tested on rendered and on real pictures, or trained from two codes of the same pictures.
"""

from __future__ import annotations

import argparse
import shlex
import sys
from collections.abc import Sequence
from itertools import combinations
from pathlib import Path

from scipy.stats import kendalltau

from setbench.bench.records.record import NewerSchema
from setbench.bench.report.document import Block, Bullets, Code, Grid, Heading, TableCell, Text
from setbench.bench.report.folder import tables_in
from setbench.bench.report.markdown import render
from setbench.bench.report.numbers import NOTHING, many
from setbench.bench.report.result import Result
from setbench.bench.report.sections import column, scored
from setbench.bench.report.tables import Table
from setbench.files import write_atomically

Pair = tuple[Table, Table]


def pairs(first: Sequence[Table], second: Sequence[Table]) -> list[Pair]:
    """Tables of the same task, ranked by the same metric on the same device with the same threads and precision."""
    return [
        (one, other)
        for one in first
        for other in second
        if one.models
        and other.models
        and (one.key.task, one.key.device, one.key.computed, one.headline)
        == (other.key.task, other.key.device, other.key.computed, other.headline)
    ]


def common(pair: Pair) -> list[tuple[Result, Result]]:
    """The rows that have a result under every seed in both, in the first table's order."""
    there = {result.label: result for result in pair[1].models if result.complete}
    return [(result, there[result.label]) for result in pair[0].models if result.complete and result.label in there]


def turned(pair: Pair) -> list[tuple[str, str]]:
    """Two rows that each table tells apart, in opposite orders: (ahead in the first, ahead in the second)."""
    found = []
    for (one, one_there), (other, other_there) in combinations(common(pair), 2):  # one stands before other
        groups = pair[0].group, pair[1].group
        if groups[0] is None or groups[1] is None or pair[1].rank(one_there) <= pair[1].rank(other_there):
            continue
        if groups[0].told_apart(one, other) and groups[1].told_apart(one_there, other_there):
            found.append((one.label, other.label))
    return found


def _section(pair: Pair, names: Sequence[str]) -> list[Block]:
    metric, rows = pair[0].headline, common(pair)
    columns = ["model", "paradigm", *(f"{column(pair[0], metric)}, {name}" for name in names), "ranks"]
    cells = []
    for both in rows:
        values = [scored(table, result, metric) for table, result in zip(pair, both, strict=True)]
        places = " and ".join(str(table.rank(result)) for table, result in zip(pair, both, strict=True))
        cells.append([TableCell(both[0].label), TableCell(both[0].paradigm), *values, TableCell(places)])
    constants = [scored(table, table.constant, metric) if table.constant else TableCell(NOTHING) for table in pair]
    cells.append([TableCell("best constant", quiet=True), TableCell(""), *constants, TableCell("")])
    return [
        Heading(pair[0].key.task, 2),
        Grid(columns, cells, frozenset(columns) - {"model", "paradigm"}),
        Bullets([*_data(pair, names), agreement(pair)]),
    ]


def _data(pair: Pair, names: Sequence[str]) -> list[str]:
    said = []
    for table, name in zip(pair, names, strict=True):
        items = table.group.items if table.group else None
        over = f", {items:,} independent test items" if items else ""
        seeds = many(len(table.seeds), "seed")
        how = ", ".join(dict.fromkeys(note for row in table.models for note in row.notes))
        said.append(f"{name}: {table.key.data}, {table.key.preset}, {seeds}{over}. {how}".strip())
    return said


def agreement(pair: Pair) -> str:
    """Kendall's tau of the two orders, and which pairs of rows stand in opposite orders beyond doubt."""
    rows = common(pair)
    if len(rows) < 2:
        return "Fewer than two rows have a result in both."
    tau = kendalltau([pair[0].rank(one) for one, _ in rows], [pair[1].rank(other) for _, other in rows]).statistic
    opposite = "; ".join(f"{one} before {other} in the first alone" for one, other in turned(pair))
    said = (
        f"told apart the other way round: {opposite}" if opposite else "no two rows are told apart the other way round"
    )
    return f"Kendall's tau of the two orders: {tau:.2f} ({len(rows)} rows); {said}."


def page(found: Sequence[Pair], names: Sequence[str], command: str) -> list[Block]:
    """What is to be read, as blocks."""
    return [
        Heading(" and ".join(names).capitalize() + ", side by side", 1),
        Text(
            "The same rows, settings and seeds twice, in the same metric: mean over seeds ± half of the 95 % interval, "
            "which is over seeds and, where the scores of test items are kept, over test items too. † is not better "
            "than the best constant answer there."
        ),
        *[block for pair in found for block in _section(pair, names)],
        Heading("How it was made", 2),
        Code([command]),
    ]


def main(words: Sequence[str] | None = None) -> int:
    """Write the page; the exit code: 0, or 2 where the folders share nothing."""
    parser = argparse.ArgumentParser(
        prog="python -m setbench.bench.report.beside", description="The same rows in two results folders."
    )
    parser.add_argument("folders", type=Path, nargs=2, metavar="RESULTS")
    parser.add_argument("--names", nargs=2, required=True, metavar="NAME", help="what the two are called")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="for README.md")
    given = parser.parse_args(words)
    try:
        first, second = map(tables_in, given.folders)
    except (NewerSchema, OSError) as error:
        print(error, file=sys.stderr)
        return 2
    found = pairs(first, second)
    if not found:
        print("the two folders have no task in common that is ranked by one metric", file=sys.stderr)
        return 2
    command = shlex.join(["python", "-m", "setbench.bench.report.beside", *(sys.argv[1:] if words is None else words)])
    write_atomically(given.out / "README.md", render(page(found, given.names, command)))
    print(f"written: {given.out / 'README.md'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
