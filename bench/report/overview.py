"""The whole at one glance: the best of each paradigm on each task, and mean ranks over equal subsets."""

from __future__ import annotations

from collections.abc import Sequence

from setbench.bench.report.document import Block, Grid, Heading, TableCell, Text
from setbench.bench.report.numbers import NOTHING, number
from setbench.bench.report.sections import FLOOR, INCOMPLETE, ODD, column, scored
from setbench.bench.report.standing import Alike, Standing
from setbench.bench.report.tables import Table
from setbench.models.entry import PARADIGMS


def overview(groups: Sequence[Alike]) -> list[Block]:
    """A grid of tasks against paradigms for each group of tables, and mean ranks."""
    blocks: list[Block] = []
    for group in groups:
        blocks += [Heading(" · ".join(filter(None, ("At a glance", *group.common))), 2), _best(group.tables)]
        blocks.append(
            Text(
                "Each cell is the best row of its paradigm, in bold where it is the best of the task or cannot be told "
                f"from it. {FLOOR} is not better than the best constant answer; {INCOMPLETE} lacks a seed, and stands "
                f"here only where no row of its paradigm is complete; {ODD} is a median, since a seed exploded or "
                "collapsed. A paradigm with more rows has had more tries. Rows: how many have a result, of all on the "
                "task; the tables below say why the others have none."
            )
        )
        if group.standing:
            blocks += _mean_ranks(group.standing)
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


def _mean_ranks(standing: Standing) -> list[Block]:
    found = standing.means
    best = int(found.mean.argmin())
    rows = [
        [
            TableCell(name, strong=found.possible and not found.told[best, place]),
            TableCell(standing.paradigms[place]),
            TableCell(f"{number(found.mean[place])} ± {number(found.half[place], 2)}", found.mean[place]),
            TableCell(f"{standing.ranks[place].min():g} to {standing.ranks[place].max():g}"),
        ]
        for place, name in sorted(enumerate(standing.encoders), key=lambda one: found.mean[one[0]])
    ]
    lacking = ""
    if standing.left_out:
        lacking = f" Left out, lacking a result or a seed on one of them or more: {', '.join(standing.left_out)}."
    blocks = standing.families
    text = (
        f"Mean rank over {len(blocks)} blocks ({len(standing.tasks)} tasks; those of one family are one block), among "
        f"the {len(rows)} encoders that have a result on every one of them, each by its best row; 1 is best, ± half "
        "of the 95 % interval by t over blocks. Friedman's test of no difference at all: "
        f"p = {number(found.friedman, 2)}. "
    )
    text += (
        "In bold: the best and those that Wilcoxon's signed-rank test over the blocks does not tell from it, with "
        "Holm's method over all pairs at 5 %."
        if found.possible
        else f"Over {len(blocks)} blocks Wilcoxon's signed-rank test with Holm's method over all "
        f"{len(rows) * (len(rows) - 1) // 2} pairs can tell none apart, whatever the ranks."
    )
    columns = ["encoder", "paradigm", "mean rank", "ranks"]
    return [Text(text + lacking), Grid(columns, rows, frozenset({"mean rank", "ranks"}))]
