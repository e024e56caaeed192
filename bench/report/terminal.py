"""What a run says at its end, in plain text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from setbench.bench.records.record import Record
from setbench.bench.report.document import one_line
from setbench.bench.report.numbers import NOTHING
from setbench.bench.report.tables import Table, tables, why

WORRIES = 8  # rows without a result that are named one by one
LONGEST = 100  # characters of a name or a reason


def summary(records: Sequence[Record]) -> str:
    """The best row of every table, and how many cells ended how. Of all records of a folder it names the winners that
    the leaderboard names."""
    if not records:
        return "No results yet."
    counts = Counter(record.status for record in records)
    parts = [_table(tables(records))]
    parts.append(f"{len(records):,} cells: " + ", ".join(f"{n:,} {status}" for status, n in counts.most_common()) + ".")
    worries = [record for record in records if not record.status.expected]
    lines = [_worry(record) for record in worries[:WORRIES]]
    lines += [f"  and {len(worries) - WORRIES} more, in leaderboard.md"] if len(worries) > WORRIES else []
    parts += ["\n".join(lines)] if lines else []
    return "\n\n".join(parts)


def _worry(record: Record) -> str:
    return f"  {record.status}: {_cut(record.task)} · {_cut(record.row)} · seed {record.seed}: {_cut(why(record))}"


def _table(found: Sequence[Table]) -> str:
    from tabulate import tabulate

    rows = [[_cut(text) for text in _row(table)] for table in found]
    columns = ["task", "data, preset, device", "best row", "metric", "value", "constant", "rows"]
    align = ["left", "left", "left", "left", "right", "right", "right"]
    return tabulate(rows, headers=columns, tablefmt="simple", disable_numparse=True, colalign=align)


def _row(table: Table) -> list[str]:
    key = table.key
    total = sum(not result.constant for result in table.results)
    where = ", ".join(filter(None, (key.data, key.preset, key.device, *key.computed)))
    rows = f"{len(table.models)} of {total}"
    if not table.models:
        return [key.task, where, NOTHING, NOTHING, NOTHING, NOTHING, rows]
    best = table.models[0]
    arrow = "↑" if table.higher_is_better(table.headline) else "↓"
    floor = table.score(table.constant) if table.constant else None
    own = table.score(best)
    marks = {
        " (at the floor)": table.at_floor(own, table.headline),
        " (a seed is missing)": not best.complete,
        " (of other code)": best.other_code,
    }
    mark = "".join(text for text, there in marks.items() if there)
    constant = NOTHING if floor is None else str(floor)
    return [key.task, where, best.label, f"{table.headline} {arrow}", f"{own}{mark}", constant, rows]


def _cut(text: str) -> str:
    return one_line(text, LONGEST)
