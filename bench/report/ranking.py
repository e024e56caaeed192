"""The ranking of one table: what a reader compares first, no wider than a code host's column; the rest is folded."""

from __future__ import annotations

from collections.abc import Sequence

from setbench.bench.report import cells
from setbench.bench.report.caption import of_table
from setbench.bench.report.document import Block, Folded, Grid, Note, TableCell
from setbench.bench.report.reading import key
from setbench.bench.report.result import Result
from setbench.bench.report.sections import LIBRARY, column, scored
from setbench.bench.report.tables import Table

SHOWN = 20  # rows that are not folded
FEW = 4  # rows too few to be folded


def ranking(table: Table) -> list[Block]:
    """The best rows with the best constant among them; the others and the rows of the library folded. Every ranked row
    stands in one of the tables, under its rank among all."""
    first, rest, library = parts(table)
    grids = [ranking_grid(table, rows) for rows in (first, rest, library)]
    blocks: list[Block] = [grids[0], *key(grids), Note(f"{of_table(table)}.")]
    for what, rows, grid in (("", rest, grids[1]), (f" of the {LIBRARY}", library, grids[2])):
        if rows:
            blocks.append(Folded(f"{_how_many(rows, what)}, {_ranks(table, rows)}", [grid]))
    return blocks


def parts(table: Table) -> tuple[list[Result], list[Result], list[Result]]:
    """The ranked rows that are shown, those that are folded, and the library's but the best of them."""
    of_library = [result for result in table.ranked if result.paradigm == LIBRARY][1:]
    if len(of_library) <= FEW:
        of_library = []
    others = [result for result in table.ranked if not any(result is one for one in of_library)]
    end = SHOWN if len(others) > SHOWN + FEW else len(others)
    return others[:end], others[end:], of_library


def _how_many(rows: Sequence[Result], what: str) -> str:
    models = sum(not result.constant for result in rows)
    constant = " and the best constant answer" if models < len(rows) else ""
    return f"{models} more rows{what}{constant}"


def _ranks(table: Table, rows: Sequence[Result]) -> str:
    ranks = [table.rank(result) for result in rows if not result.constant]
    return f"ranks {min(ranks)} to {max(ranks)}"


def ranking_grid(table: Table, rows: Sequence[Result]) -> Grid:
    """Rank, model, headline, seconds of training, latency, invariance error in float64, parameters."""
    columns = ["rank", "model", column(table, table.headline), "train (s)", cells.latency_head(table)]
    columns += ["invariance", "parameters"]
    return Grid(columns, [_row(table, result) for result in rows], frozenset(columns) - {"model"})


def _row(table: Table, result: Result) -> list[TableCell]:
    best = table.best(result)
    return [
        cells.rank(table, result),
        TableCell(result.label, strong=best, quiet=result.constant),
        scored(table, result, table.headline, strong=best),
        cells.centre(result.train),
        cells.centre(cells.latency(table, result)),
        cells.invariance(result),
        cells.parameters(result),
    ]
