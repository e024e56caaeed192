"""The page as one file: what it shows without JavaScript, and, compressed, the data and plotly, which draw the rest."""

from __future__ import annotations

import base64
import gzip
import json
import re
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from setbench.bench.records.record import Record
from setbench.bench.report.document import Block, Heading
from setbench.bench.report.made import how_it_was_made
from setbench.bench.report.page.answer import answer
from setbench.bench.report.page.data import anchors, page_data
from setbench.bench.report.page.static import blocks, escape, glyph, legend, ranking, verdict
from setbench.bench.report.provenance import how_it_was_run
from setbench.bench.report.published import published
from setbench.bench.report.reading import how_to_read
from setbench.bench.report.sections import KINDS, title
from setbench.bench.report.standing import Alike
from setbench.bench.report.tables import Table

HERE = Path(__file__).parent
SCRIPTS = ("base", "view", "table", "plots", "drawings", "panel", "start")
"""In the order in which they are run."""


def page(
    records: Sequence[Record],
    elsewhere: Sequence[Record],
    tables: Sequence[Table],
    groups: Sequence[Alike],
    folder: Path,
) -> str:
    """The whole page. ``elsewhere`` are records of the same cells by other machines, which count in no table;
    ``folder`` holds what the cells kept beside their records."""
    named = list(zip(anchors(tables), tables, strict=True))
    where = {id(table): name for name, table in named}
    data = page_data(tables, groups, folder)
    empty = [table for table in tables if not table.models]
    about = [*how_it_was_made(records, elsewhere), *how_to_read(records)] if records else []
    parts = {
        "css": _text("page.css"),
        "answer": answer(groups, where, empty),
        "go": "".join(f'<option value="{escape(name)}">{escape(title(table))}</option>' for name, table in named),
        "sections": "\n".join(_section(table, name) for name, table in named),
        "paradigms": "".join(_choice("paradigm", one["name"], glyph(one["name"])) for one in data["paradigms"]),
        "tasks": "".join(_choice("task", name, "", title(table)) for name, table in named),
        "columns": "".join(_choice("column", name) for name in _choices(data["tables"])),
        "about": blocks(about, 1),
        "published": _folded(published(tables)),
        "data": _packed(json.dumps(data, allow_nan=False, separators=(",", ":"))),
        "records": _packed(_records(records)),
        "plotly": _plotly() if tables else "",
        "script": "\n".join(_text(f"{name}.js") for name in SCRIPTS),
    }  # fmt: skip
    return _with(parts, "page.html")


def _with(parts: Mapping[str, str], template: str) -> str:
    """A template with its marks replaced, in one pass: a name that looks like a mark is left alone."""
    return re.sub(r"\{\{(\w+)\}\}", lambda mark: parts[mark[1]], _text(template))


def _records(records: Sequence[Record]) -> str:
    """The whole records by their identity, as they are stored."""
    return "{" + ",".join(f"{json.dumps(record.id)}:{record.model_dump_json()}" for record in records) + "}"


def _packed(text: str) -> str:
    """Compressed, in letters that no HTML minds; the same of the same, whenever."""
    return base64.b64encode(gzip.compress(text.encode(), 9, mtime=0)).decode()


def _folded(found: Sequence[Block]) -> str:
    """Blocks behind their own heading, which is the first."""
    if not found:
        return ""
    heading, *rest = found
    summary = f"<summary><h2>{escape(heading.text)}</h2></summary>" if isinstance(heading, Heading) else ""
    return f"<details>{summary}\n{blocks(rest)}\n</details>"


@cache
def _plotly() -> str:
    from plotly.offline import get_plotlyjs

    return _packed(get_plotlyjs())


def _text(name: str) -> str:
    return (HERE / name).read_text(encoding="utf-8")


def _choices(tables: Sequence[dict[str, Any]]) -> list[str]:
    """What columns are called where they are chosen; the model's is always there."""
    names = dict.fromkeys(column["choice"] for table in tables for column in table["columns"])
    return [name for name in names if name != "model"]


def _choice(kind: str, value: str, mark: str = "", text: str = "") -> str:
    box = f'<input type="checkbox" name="{kind}" value="{escape(value)}" checked>'
    return f"<label>{box} {mark}{escape(text or value or 'other')}</label>"


def _section(table: Table, anchor: str) -> str:
    key, task = table.key, table.records[0].task_text
    data = f"{key.data} ({KINDS.get(key.kind, key.kind)})" if key.data else ""
    rest = " · ".join(escape(part) for part in (data, key.preset, key.device, *key.computed) if part)
    name = escape(key.task)
    asks = " ".join(escape(text) for text in (task.asks, task.good) if text)
    run = "".join(f"<li>{escape(line)}</li>" for line in how_it_was_run(table))
    parts = {
        "id": escape(anchor),
        "name": name,
        "rest": rest,
        "asks": asks,
        "verdict": verdict(table),
        "ranking": ranking(table, escape(title(table))),
        "legend": legend(table),
        "run": run,
    }
    return _with(parts, "section.html")
