"""What a run says at its end, in plain text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from setbench.bench.report.numbers import NOTHING
from setbench.bench.report.tables import Record, Table, tables, why

WORRIES = 8  # rows without a result that are named one by one


def summary(records: Sequence[Record], directory: Path | None = None) -> str:
    """The best row of every table, how many cells ended how, and where the files are."""
    if not records:
        return "No results yet."
    counts = Counter(record["status"] for record in records)
    parts = [_table(tables(records))]
    parts.append(f"{len(records):,} cells: " + ", ".join(f"{n:,} {status}" for status, n in counts.most_common()) + ".")
    worries = [record for record in records if record["status"] not in ("ok", "intractable", "not_applicable")]
    lines = [
        f"  {record['status']}: {record['task']} · {_line(record['row'])} · seed {record.get('seed')}: "
        f"{_line(why(record))}"
        for record in worries[:WORRIES]
    ]
    lines += [f"  and {len(worries) - WORRIES} more, in leaderboard.md"] if len(worries) > WORRIES else []
    parts += ["\n".join(lines)] if lines else []
    parts += [f"Leaderboard: {directory / 'leaderboard.md'} (also .html, .csv and figures/)"] if directory else []
    return "\n\n".join(parts)


def _table(found: Sequence[Table]) -> str:
    from tabulate import tabulate

    rows = [_row(table) for table in found]
    columns = ["task", "data, preset, device", "best row", "metric", "value", "constant", "rows"]
    align = ["left", "left", "left", "left", "right", "right", "right"]
    return tabulate(rows, headers=columns, tablefmt="simple", disable_numparse=True, colalign=align)


def _row(table: Table) -> list[str]:
    key = table.key
    total = sum(not line.constant for line in table.lines)
    where = ", ".join(filter(None, (key.data, key.preset, key.device)))
    rows = f"{len(table.models)} of {total}"
    if not table.models:
        return [_line(key.task), _line(where), NOTHING, NOTHING, NOTHING, NOTHING, rows]
    best = table.models[0]
    arrow = "↑" if table.higher_is_better(table.headline) else "↓"
    floor = table.score(table.constant) if table.constant else None
    own = table.score(best)
    mark = " (at the floor)" if table.at_floor(own, table.headline) else ""
    floor_text = NOTHING if floor is None else str(floor)
    return [
        _line(key.task),
        _line(where),
        _line(best.label),
        f"{table.headline} {arrow}",
        f"{own}{mark}",
        floor_text,
        rows,
    ]


def _line(text: str, length: int = 100) -> str:
    """One printable line, whatever a name holds: no control character reaches the terminal."""
    shown = " ".join("".join(char if char.isprintable() else " " for char in text).split())
    return shown if len(shown) <= length else shown[: length - 1] + "…"
