"""The answer: the best row of each task, the best of each paradigm, and mean ranks over equal subsets."""

from __future__ import annotations

from collections.abc import Sequence

from setbench.bench.report.caption import of_tables
from setbench.bench.report.document import Block, Folded, Grid, Heading, Note, TableCell, Text
from setbench.bench.report.numbers import NOTHING, number
from setbench.bench.report.reading import key
from setbench.bench.report.sections import OTHER_CODE, all_of_other_code, arrow, scored
from setbench.bench.report.standing import Alike, Standing
from setbench.bench.report.tables import Table
from setbench.models.entry import PARADIGMS

RANKED = 12  # encoders that are not folded


def overview(groups: Sequence[Alike], ranks: Sequence[Block] = ()) -> list[Block]:
    """For each group of tables the best row of every task, and mean ranks; folded the best of every paradigm. ``ranks``
    are figures of the mean ranks."""
    blocks: list[Block] = []
    for place, group in enumerate(groups):
        parts = ("The answer", *(group.common if len(groups) > 1 else ()))
        shown, of_paradigms = best_rows(group.tables), best_of_paradigms(group.tables)
        blocks += [Heading(", ".join(filter(None, parts)), 2), Text(_about(group))]
        blocks += [shown, *key([shown]), Note(f"{of_tables(group.tables)}.")]
        folded: list[Block] = [of_paradigms, *key([of_paradigms]), Text(PARADIGM)]
        blocks.append(Folded("The best of each paradigm on each task", folded))
        if group.standing:
            blocks += _mean_ranks(group.standing)
        blocks += ranks if place == len(groups) - 1 else []
    return blocks


PARADIGM = (
    "Each cell is the headline of the best row of its paradigm, in bold where it is the best of the task or cannot be "
    "told from it. A row that lacks a seed stands here only where no row of its paradigm is complete. A paradigm with "
    "more rows has had more tries."
)


def paradigms(tables: Sequence[Table]) -> list[str]:
    """Those that occur, in the suite's order."""
    found = dict.fromkeys(result.paradigm for table in tables for result in table.results if not result.constant)
    return [*(name for name in PARADIGMS if name in found), *(name for name in found if name not in PARADIGMS)]


def _about(group: Alike) -> str:
    several = any(len(table.seeds) > 1 for table in group.tables)
    text = "The best row of each task, beside the best answer that looks at no input. "
    text += (
        "Group: how many rows of those compared are the best on the validation split, or cannot be told from it or are "
        "better; where it is more than one, take the cheapest of them, which the task's table shows in bold."
        if several
        else "Under one seed nothing says how sure that is."
    )
    old = all(all_of_other_code(table) for table in group.tables)
    return text + (f" {OTHER_CODE} Every row here was made by other code than today's." if old else "")


def best_rows(tables: Sequence[Table]) -> Grid:
    """A line a task: the row of rank 1, its headline, the constant's, seconds of training, the size of its group."""
    rows = []
    for table in tables:
        best, constant = table.models[0], table.constant
        train = best.train
        found = table.group
        rows.append(
            [
                TableCell(_task(table, tables)),
                TableCell(best.label, strong=table.best(best)),
                TableCell(f"{table.headline} {arrow(table, table.headline)}"),
                scored(table, best, table.headline, strong=table.best(best)),
                TableCell(NOTHING) if constant is None else scored(table, constant, table.headline),
                TableCell(NOTHING) if train is None else TableCell(number(train.centre), train.centre),
                TableCell(NOTHING if found is None else f"{len(found.members)} of {len(found.rows)}"),
            ]
        )
    columns = ["task", "best row", "headline", "value", "constant", "train (s)", "group"]
    return Grid(columns, rows, frozenset({"value", "constant", "train (s)", "group"}))


def best_of_paradigms(tables: Sequence[Table]) -> Grid:
    names = paradigms(tables)
    rows = []
    for table in tables:
        row = [TableCell(_task(table, tables))]
        for name in names:
            best = next((result for result in table.models if result.paradigm == name), None)
            if best is None:
                row.append(TableCell(NOTHING))
                continue
            cell = scored(table, best, table.headline, strong=table.best(best))
            value = table.score(best)
            row.append(TableCell(_centre(cell.text, str(value)), cell.value, strong=cell.strong))
        rows.append(row)
    columns = ["task", *(name or "other" for name in names)]
    return Grid(columns, rows, frozenset(columns[1:]))


def _centre(text: str, value: str) -> str:
    """Without the interval, for which there is no room; with its marks."""
    return text.replace(value, value.split(" ")[0], 1)


def _task(table: Table, among: Sequence[Table]) -> str:
    alone = sum(other.key.task == table.key.task for other in among) == 1
    return table.key.task if alone else f"{table.key.task} ({table.key.data})"


def _mean_ranks(standing: Standing) -> list[Block]:
    found = standing.means
    lacking = ""
    if standing.left_out:
        lacking = f" Left out, lacking a result or a seed on one of them or more: {', '.join(standing.left_out)}."
    blocks = standing.families
    text = (
        f"Mean rank over {len(blocks)} blocks ({len(standing.tasks)} tasks; those of one family are one block), among "
        f"the {len(standing.encoders)} encoders that have a result on every one of them, each by its best row; 1 is "
        "best, ± half of the 95 % interval by t over blocks. Friedman's test of no difference at all: "
        f"p = {number(found.friedman, 2)}. "
    )
    text += (
        "In bold: the best and those that Wilcoxon's signed-rank test over the blocks does not tell from it, with "
        "Holm's method over all pairs at 5 %."
        if found.possible
        else f"Over {len(blocks)} blocks Wilcoxon's signed-rank test with Holm's method over all "
        f"{len(standing.encoders) * (len(standing.encoders) - 1) // 2:,} pairs can tell none apart, whatever the ranks."
    )
    whole = ranks_grid(standing)
    shown = [Grid(whole.columns, whole.rows[:RANKED], whole.numeric)]
    rest = Grid(whole.columns, whole.rows[RANKED:], whole.numeric)
    folded = [Folded(f"{len(rest.rows)} more encoders", [rest])] if rest.rows else []
    return [Heading("Mean ranks", 3), Text(text + lacking), *shown, *folded]


def ranks_grid(standing: Standing) -> Grid:
    """Encoders by mean rank, the best first."""
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
    return Grid(["encoder", "paradigm", "mean rank", "ranks"], rows, frozenset({"mean rank", "ranks"}))
