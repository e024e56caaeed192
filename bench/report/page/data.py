"""What the page knows of every table: numbers and texts that JSON can hold."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from setbench.bench.report.cells import latency
from setbench.bench.report.document import one_line
from setbench.bench.report.learning import Point, curve
from setbench.bench.report.numbers import NOTHING, Spread
from setbench.bench.report.overview import paradigms
from setbench.bench.report.page.columns import SCORE, Column, best, columns
from setbench.bench.report.page.drawings import drawings
from setbench.bench.report.result import Result
from setbench.bench.report.sections import readable
from setbench.bench.report.standing import Alike
from setbench.bench.report.tables import Table
from setbench.models.entry import PARADIGMS

LOOKS = (
    ("#0072b2", "circle"), ("#e69f00", "square"), ("#009e73", "diamond"), ("#d55e00", "triangle-up"),
    ("#cc79a7", "triangle-down"), ("#8a6d3b", "cross"), ("#7a8291", "x"), ("#56b4e9", "star"),
)  # fmt: skip
"""Colour (most are Okabe and Ito's, which the colour-blind tell apart) and shape of the paradigms, in the order of the
suite; one that is none of them looks like the last."""

Json = Any


def anchors(tables: Sequence[Table]) -> list[str]:
    """The address of every table on the page: ``clevr_state-rendered-quick-cpu``. Of two that would
    share one, the later has its data's checksum too."""
    found: list[str] = []
    for table in tables:
        key = table.key
        words = [key.task, key.kind, key.preset, key.device, *key.computed]
        name = "-".join(filter(None, (re.sub(r"[^\w.]+", "-", word).strip("-") for word in words))) or "table"
        if name in found:
            name += f"-{re.sub(r'[^A-Za-z0-9]+', '', key.checksum)[:6]}"
        while name in found:
            name += "x"
        found.append(name)
    return found


def look(paradigm: str) -> tuple[str, str]:
    """Its colour and its shape."""
    return LOOKS[PARADIGMS.index(paradigm) if paradigm in PARADIGMS else -1]


def page_data(tables: Sequence[Table], groups: Sequence[Alike], folder: Path | None) -> dict[str, Json]:
    """All that the page is drawn from, beside its records."""
    return {
        "paradigms": [
            dict(zip(("name", "colour", "shape"), (one_line(name), *look(name)), strict=True))
            for name in paradigms(tables)
        ],
        "tables": [table_data(table, anchor, folder) for table, anchor in zip(tables, anchors(tables), strict=True)],
        "standings": [standing_data(group) for group in groups],
    }


def table_data(table: Table, anchor: str, folder: Path | None) -> dict[str, Json]:
    """One table: its columns, its rows in the order of their rank, and what is drawn of it."""
    info = table.metric_info.get(table.headline)
    shown = columns(table)
    floor = table.score(table.constant) if table.constant else None
    metrics = readable(table)[0]
    return {
        "id": anchor,
        "task": one_line(table.key.task),
        "headline": one_line(table.headline),
        "unit": one_line(info.unit) if info else "",
        "higher": bool(info and info.higher_is_better),
        "seeds": len(table.seeds),
        "constant": None if floor is None else floor.centre,
        "columns": [
            {"key": column.key, "name": one_line(column.name), "choice": column.choice, "numeric": column.numeric,
             "higher": column.higher, "shown": column.shown}
            for column in shown
        ],
        "metrics": [one_line(name) for name in metrics],
        "rows": [row_data(table, row, shown, metrics) for row in rows(table)],
        "drawings": drawings(table, folder) if folder else None,
    }  # fmt: skip


def rows(table: Table) -> list[Result]:
    """As the page lists them: ranked, then those without a result."""
    return [*table.ranked, *table.unranked]


def row_data(table: Table, row: Result, shown: Sequence[Column], metrics: Sequence[str]) -> dict[str, Json]:
    """One row. ``bars``: how far its intervals reach down and up, by the key of the column."""
    cells = {column.key: column.make(table, row) for column in shown}
    score = table.score(row)
    found: dict[str, Json] = {
        "label": one_line(row.label),
        "paradigm": one_line(row.paradigm),
        "constant": row.constant,
        "best": best(table, row),
        "complete": row.complete,
        "floor": not row.constant and table.at_floor(score, table.headline),
        "values": {key: plain(cell.value) for key, cell in cells.items() if cell.value is not None},
        "bars": {
            key: bar
            for key, value in ((SCORE, score), ("train", row.train), ("latency", latency(table, row)))
            if (bar := _bar(value))
        },
        "records": [record.id for record in row.records],
    }
    if len(row.variants) > 1:
        found["variants"] = {
            one_line(variant): [str(row.value(name, variant) or NOTHING) for name in metrics]
            for variant in row.variants
        }
    if points := curve(row):
        found["curve"] = {name: [getattr(point, name) for point in points] for name in Point._fields}
    return found


def _bar(value: Spread | None) -> list[float] | None:
    if value is None or not math.isfinite(value.centre):
        return None
    down, up = (
        (value.half, value.half) if value.ends is None else (value.centre - value.ends[0], value.ends[1] - value.centre)
    )
    return [down, up] if down is not None and up is not None and math.isfinite(down) and math.isfinite(up) else None


def standing_data(group: Alike) -> dict[str, Json]:
    """Mean ranks of the encoders over the tables of a group, best first; ``told``: from the best one."""
    found = group.standing
    where = " · ".join(one_line(word) for word in group.common if word)
    if found is None:
        return {"where": where, "encoders": []}
    means = found.means
    best = int(means.mean.argmin())
    return {
        "where": where,
        "encoders": [
            {
                "name": one_line(found.encoders[place]),
                "paradigm": one_line(found.paradigms[place]),
                "mean": float(means.mean[place]),
                "half": plain(float(means.half[place])),
                "low": float(found.ranks[place].min()),
                "high": float(found.ranks[place].max()),
                "told": bool(means.told[best, place]),
            }
            for place in means.mean.argsort(kind="stable").tolist()
        ],
    }


def plain(value: float | None) -> float | str | None:
    """As JSON can hold it and JavaScript's Number reads it; None for NaN."""
    if value is None or math.isfinite(value):
        return value
    return None if math.isnan(value) else ("Infinity" if value > 0 else "-Infinity")
