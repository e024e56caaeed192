"""What a run says at its end, in plain text that fits the terminal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from pathlib import Path

from setbench.bench.records.record import Record
from setbench.bench.report.document import one_line
from setbench.bench.report.numbers import NOTHING, count, error, many, number
from setbench.bench.report.result import Result
from setbench.bench.report.sections import FLOOR, INCOMPLETE, ODD, OTHER_CODE, arrow, column, scored, title
from setbench.bench.report.tables import Table, reported, tables, why
from setbench.console import Column, filled, fitted, printable, width

WORRIES = 8  # rows without a result that are named one by one
LONGEST = 100  # characters of a name or a reason
ROWS, FEW_ROWS, MANY = 12, 4, 3
"""Rows of a table that are shown; where there are more tables than that, fewer."""

GROUP = "*"
MARKS = {
    "±": "the 95 % interval of the mean over seeds",
    GROUP: "the best row, or not told from it",
    FLOOR: "not better than the best constant answer",
    INCOMPLETE: "a seed is missing",
    ODD: "a seed exploded or collapsed",
    OTHER_CODE: "made by other code",
}
RANKING = (
    Column("rank", right=True),
    Column("model", folds=True, whole=True),
    Column("score", right=True),
    Column("train (s)", least=70, right=True),
    Column("invariance error", least=100, right=True),
    Column("parameters", least=110, right=True),
)
BEST = (
    Column("task", folds=True, whole=True),
    Column("data, preset, device", least=110, folds=True),
    Column("best row", folds=True, whole=True),
    Column("metric", least=90),
    Column("score", right=True),
    Column("constant", least=80, right=True),
    Column("rows", least=100, right=True),
)


def summary(
    records: Sequence[Record], ran: Collection[str] = (), wide: int | None = None, folder: Path | None = None
) -> str:
    """How the rows of a run stand in their tables, and how many cells ended how.

    Args:
        records: all of the results folder, so that it names the winners that the leaderboard names.
        ran: the cells of the run, by their identities; where none is among the records, the best row of every table.
        wide: characters of a line; by default as many as the terminal has, and of a pipe as many as COLUMNS says.
        folder: the results folder, which holds the scores of the test items.
    """
    records = reported(records)
    if not records:
        return "No results yet."
    counts = Counter(record.status for record in records)
    found = tables(records, folder)
    own = [table for table in found if any(record.id in ran and not record.constant for record in table.records)]
    parts = [_ranking(table, ran, wide, ROWS if len(own) <= MANY else FEW_ROWS) for table in own]
    parts = parts or [fitted(BEST, [[_cut(text) for text in _best(table, found)] for table in found], wide or width())]
    used = [
        f"{mark} {meaning}" for mark, meaning in MARKS.items() if any(_has(part, printable(mark)) for part in parts)
    ]
    parts += [filled("; ".join(used) + ".", wide)] if used else []
    ended = ", ".join(f"{n:,} {status}" for status, n in counts.most_common())
    parts.append(filled(f"{len(records):,} cells: {ended}.", wide))
    worries = [record for record in records if not record.status.expected]
    lines = [_worry(record, wide) for record in worries[:WORRIES]]
    lines += [f"  and {len(worries) - WORRIES} more, in leaderboard.md"] if len(worries) > WORRIES else []
    parts += ["\n".join(lines)] if lines else []
    return "\n\n".join(parts)


def _has(part: str, mark: str) -> bool:
    """Behind a number, where marks stand; a name may hold any character."""
    return any(mark in line.split() for line in part.splitlines())


def _worry(record: Record, wide: int | None) -> str:
    line = f"  {record.status}: {_cut(record.task)} · {_cut(record.row)} · seed {record.seed}: {_cut(why(record))}"
    return filled(line, wide)


def _ranking(table: Table, ran: Collection[str], wide: int | None, most: int) -> str:
    """The rows of this run, with the ranks that they have in the whole table, the constant answer among them."""
    shown = [row for row in table.ranked if row.constant or any(record.id in ran for record in row.records)]
    models = [row for row in shown if not row.constant]
    cut = {id(row) for row in models[most:]}
    rows = [[_cut(text) for text in _row(table, row)] for row in shown if id(row) not in cut]
    seeds = many(len(table.seeds), "seed")
    head = f"{one_line(title(table))}: {column(table, table.headline) if table.headline else 'no result'}, {seeds}"
    lines = [filled(head, wide), fitted(RANKING, rows, wide or width())]
    left = len(cut), len(table.models) - len(models)
    words = ("{} more of this run", "{} other rows of the table")
    more = [text.format(n) for n, text in zip(left, words, strict=True) if n]
    return "\n".join([*lines, *([filled(f"and {' and '.join(more)}, in leaderboard.md", wide)] if more else [])])


def _row(table: Table, result: Result) -> list[str]:
    score = scored(table, result, table.headline).text
    if result.constant:
        return ["", result.label, score, NOTHING, NOTHING, NOTHING]
    mark = GROUP if table.best(result) else ""
    train = result.train
    return [
        str(table.rank(result)),
        result.label,
        f"{score} {mark}".rstrip(),
        NOTHING if train is None else number(train.centre),
        error(result.error64),
        count(result.parameters),
    ]


def _best(table: Table, among: Sequence[Table]) -> list[str]:
    key = table.key
    alike = [other.key for other in among if other.key.task == key.task]
    apart = [part for part in ("data", "preset", "device") if len({getattr(other, part) for other in alike}) > 1]
    told = ", ".join(filter(None, (*(getattr(key, part) for part in apart), *key.computed)))
    name = f"{key.task} ({told})" if told else key.task
    total = sum(not result.constant for result in table.results)
    where = ", ".join(filter(None, (key.data, key.preset, key.device, *key.computed)))
    rows = f"{len(table.models)} of {total}"
    if not table.models:
        return [name, where, NOTHING, NOTHING, NOTHING, NOTHING, rows]
    best = table.models[0]
    floor = table.score(table.constant) if table.constant else None
    constant = NOTHING if floor is None else str(floor)
    score = scored(table, best, table.headline).text
    return [name, where, best.label, f"{table.headline} {arrow(table, table.headline)}", score, constant, rows]


def _cut(text: str) -> str:
    return one_line(text, LONGEST)
