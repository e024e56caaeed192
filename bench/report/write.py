"""Records to files: leaderboard.md, leaderboard.csv, leaderboard.html and figures/."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from setbench.bench.records.store import write_atomically
from setbench.bench.report import markdown, page
from setbench.bench.report.contents import head, section, title
from setbench.bench.report.document import Block, Heading, Picture, Text
from setbench.bench.report.overview import overview
from setbench.bench.report.pictures import Shown, shown
from setbench.bench.report.published import published
from setbench.bench.report.tables import Record, Table, part, tables
from setbench.bench.report.tidy import csv_text

Draw = Callable[[], Any]


def write_report(
    records: Sequence[Record],
    directory: Path,
    *,
    title: str = "Leaderboard",
    command: str = "",
    pictures: bool = False,
) -> list[Path]:
    """Write the whole report, each file atomically, and say which files there are now.

    ``command`` is shown first among those that made the records, for a report over several runs. With ``pictures``
    predictions are drawn from what the cells kept under ``directory``. Any list of records will do: none, one, all
    failed. The tables come before the figures, so that they are there if drawing fails.
    """
    directory = Path(directory)
    found = tables(records)
    figures, draw = _plan(found, directory if pictures else None)
    blocks = [*head(records, title, command), *overview(found)]
    for number, table in enumerate(found):
        blocks += section(table, [picture for place, picture in figures if place == number])
    blocks += [*_everywhere([picture for place, picture in figures if place is None]), *published(found)]
    written = {"leaderboard.csv": csv_text(records), "leaderboard.md": markdown.render(blocks)}
    for name, text in written.items():
        write_atomically(directory / name, text)
    if draw:
        from setbench.bench.report.figures.style import save

        for path, make in draw.items():
            save(make(), directory / path)
    write_atomically(directory / "leaderboard.html", page.render(blocks, directory))
    return [directory / name for name in (*written, "leaderboard.html", *draw)]


def _everywhere(pictures: Sequence[Picture]) -> list[Block]:
    if not pictures:
        return []
    told = (
        "Over all tasks: how far a random order of the same set moves the code, relative to the code. The controls at "
        "the bottom are not invariant, and show that the measurement can fail."
    )
    return [Heading("Is it really invariant?", 2), Text(told), *pictures]


def _plan(found: Sequence[Table], kept: Path | None) -> tuple[list[tuple[int | None, Picture]], dict[str, Draw]]:
    """Which figures there are: each with the number of its table (None: all of them), and how to draw it.

    Predictions are drawn from what lies in the folder ``kept``; None where they are not asked for.
    """
    figures: list[tuple[int | None, Picture]] = []
    draw: dict[str, Draw] = {}

    def add(place: int | None, path: str, alt: str, make: Draw) -> None:
        figures.append((place, Picture(path, alt)))
        draw[path] = make

    several = Counter(table.key.task for table in found)
    for number, table in enumerate(found):
        key = table.key
        distinguish = (key.preset, key.device, key.data, key.checksum[:6]) if several[key.task] > 1 else ()
        name = _file_name(key.task, *distinguish)
        if any(line.time("train") for line in table.models):
            add(
                number,
                f"figures/{name}_time.png",
                f"{table.headline} against training time, {title(table)}",
                _time(table),
            )
        if any(part(record, "figures").get("angle") for line in table.models for record in line.ok):
            add(number, f"figures/{name}.png", f"error against angle, {title(table)}", _angle(table))
        seen = shown(table, kept) if kept else None
        if seen:
            add(
                number, f"figures/{name}_pictures.png", f"predictions beside the truth, {title(table)}", _pictures(seen)
            )
        if seen and seen.iterative:
            way = f"{seen.iterative[0].label} on its way to the answer, {title(table)}"
            add(number, f"figures/{name}_steps.png", way, _steps(seen))
    if any(line.invariance("max") is not None for table in found for line in table.lines):
        add(None, "figures/invariance.png", "invariance error of every encoder", _invariance(found))
    return figures, draw


def _file_name(*parts: str) -> str:
    return "_".join(filter(None, (re.sub(r"[^A-Za-z0-9.]+", "_", text).strip("_.") for text in parts))) or "task"


def _time(table: Table) -> Draw:
    def make() -> Any:
        from setbench.bench.report.figures.time import time_figure

        return time_figure(table)

    return make


def _angle(table: Table) -> Draw:
    def make() -> Any:
        from setbench.bench.report.figures.angle import angle_figure

        return angle_figure(table)

    return make


def _pictures(seen: Shown) -> Draw:
    def make() -> Any:
        from setbench.bench.report.figures.pictures import pictures_figure

        return pictures_figure(seen)

    return make


def _steps(seen: Shown) -> Draw:
    def make() -> Any:
        from setbench.bench.report.figures.pictures import steps_figure

        return steps_figure(seen)

    return make


def _invariance(found: Sequence[Table]) -> Draw:
    def make() -> Any:
        from setbench.bench.report.figures.invariance import invariance_figure

        return invariance_figure(found)

    return make
