"""Published figures beside ours, in a section of their own that says why the two cannot be compared."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from setbench.bench.report.document import Block, Bullets, Folded, Grid, Heading, TableCell, Text
from setbench.bench.report.numbers import NOTHING
from setbench.bench.report.sections import marks
from setbench.bench.report.tables import Table, distinct

FILE = Path(__file__).with_name("published.toml")


def published(tables: Sequence[Table]) -> list[Block]:
    """A grid for every published table on a task that has results; nothing where there is none."""
    sources = tomllib.loads(FILE.read_text(encoding="utf-8"))["table"]
    blocks: list[Block] = []
    for source in sources:
        ours = [table for table in tables if table.key.task in source["tasks"] and table.models]
        if ours:
            blocks += _section(source, ours)
    if not blocks:
        return []
    text = (
        "These figures come from elsewhere. They differ from ours in definition, data or settings, as said at each, so "
        "they show an order of magnitude; a difference between theirs and ours ranks nothing."
    )
    return [Heading("Published figures, not comparable with ours", 2), Text(text), *blocks]


def _section(source: dict[str, Any], tables: Sequence[Table]) -> list[Block]:
    about = {
        "Theirs": source["source"],
        "Definition": source["definition"],
        "Data": source["data"],
        "Settings": source["settings"],
        "Why they cannot be compared": source["why"],
    }
    columns = ["system", "whose", *source["metrics"]]
    rows: list[list[TableCell]] = []
    listed: set[tuple[str, str]] = set()
    for theirs in source["theirs"]:
        values = [TableCell(value, _number(value)) for value in theirs["values"]]
        rows.append([TableCell(theirs["system"]), TableCell("theirs"), *values])
        for pattern in theirs.get("ours", ()):
            place = pattern, theirs.get("variant", "")
            if place not in listed:
                rows += _ours(pattern, theirs.get("variant"), list(source["metrics"].values()), tables)
                listed.add(place)
    facts = [f"{name}: {text.rstrip('.')}." for name, text in about.items()]
    return [Folded(source["title"], [Bullets(facts), Grid(columns, rows, frozenset(source["metrics"]))])]


def _number(text: str) -> float | None:
    return float(text.split(" ")[0]) if text else None


def _ours(pattern: str, variant: str | None, metrics: list[str], tables: Sequence[Table]) -> list[list[TableCell]]:
    """Our rows of such a name, "*" standing for anything, in every table that has them."""
    rows = []
    for table, result in [(one, result) for one in tables for result in one.models]:
        if not fnmatchcase(result.label, pattern) or (variant and variant not in result.variants):
            continue
        values = [result.value(metric, variant) for metric in metrics]
        where = ", ".join(distinct((table.key.preset, table.key.data, table.key.device)))
        name = f"{result.label}, {variant}" if variant else result.label
        cells = [
            TableCell(NOTHING) if value is None else TableCell(" ".join([str(value), *marks(result)]), value.centre)
            for value in values
        ]
        rows.append([TableCell(name), TableCell(f"ours ({where})"), *cells])
    return rows
