"""Records to files: leaderboard.md, leaderboard.csv, leaderboard.html and figures/."""

from __future__ import annotations

import hashlib
import re
import sys
import warnings
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from setbench.bench.records.merge import elsewhere
from setbench.bench.records.record import Record
from setbench.bench.report import markdown
from setbench.bench.report.document import Block, Heading, Picture, Text, one_line
from setbench.bench.report.drawn import drawn_from, of_all, of_gallery, of_table
from setbench.bench.report.flat_csv import csv_text
from setbench.bench.report.overview import overview
from setbench.bench.report.page.render import page
from setbench.bench.report.predictions import gallery
from setbench.bench.report.published import published
from setbench.bench.report.sections import head, section, title
from setbench.bench.report.standing import Alike, alike
from setbench.bench.report.tables import Table, tables
from setbench.files import write_atomically

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PREDICTIONS = ("_pictures", "_steps")
RANKS, EVERYWHERE = -1, -2
"""Where figures of several tables stand: under the mean ranks, and behind all tables."""
NAME_LENGTH = 80  # of a figure's file, without its ending: a task may have any name


@dataclass(frozen=True)
class Planned:
    """A figure: where it stands (the number of its table, RANKS or EVERYWHERE), what it shows, how it is drawn, and the
    hash of what it is drawn from."""

    place: int
    picture: Picture
    draw: Callable[[], Figure]
    source: str


def write_report(records: Sequence[Record], directory: Path, *, predictions: bool = False) -> list[Path]:
    """Write the whole report, each file atomically, and say which files there are now.

    With ``predictions`` they are drawn from what the cells kept under ``directory``. Any list of records will do: none,
    one, all failed. The tables come before the figures, so that they are there if drawing is interrupted; a figure that
    cannot be drawn leaves a line in its place. One that is there already, drawn from the same by the same code, is not
    drawn again; one that no record asks for any longer is removed.
    """
    directory = Path(directory)
    found = tables(records, directory)
    begin = head(records, elsewhere(directory, lambda line: print(line, file=sys.stderr)))
    groups = alike(found)
    figures = _plan(found, groups, directory if predictions else None)
    blocks = _blocks(begin, found, groups, figures)
    write_atomically(directory / "leaderboard.csv", csv_text(records))
    write_atomically(directory / "leaderboard.md", markdown.render(blocks))
    failures = {figure.picture.path: line for figure in figures if (line := _draw(figure, directory))}
    if failures:
        blocks = [_shown(block, failures) for block in blocks]
        write_atomically(directory / "leaderboard.md", markdown.render(blocks))
    _remove_others(figures, directory, predictions)
    write_atomically(directory / "leaderboard.html", page(records, begin, found, groups, directory))
    names = ["leaderboard.csv", "leaderboard.md", "leaderboard.html", *(figure.picture.path for figure in figures)]
    return [directory / name for name in names if name not in failures]


def _draw(figure: Planned, directory: Path) -> str:
    """Draw and save one figure, unless it is there; why that could not be done, in one line, else nothing."""
    if drawn_from(directory / figure.picture.path) == figure.source:
        return ""
    from setbench.bench.report.figures.style import save

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # numbers near the largest float overflow on their way
            warnings.simplefilter("ignore", UserWarning)
            save(figure.draw(), directory / figure.picture.path, figure.source)
    except OSError:  # the disk, not the figure
        raise
    except Exception as error:
        line = one_line(f"{figure.picture.path} could not be drawn: {type(error).__name__}: {error}", 300)
        print(line, file=sys.stderr)
        return line
    return ""


def _remove_others(figures: Sequence[Planned], directory: Path, predictions: bool) -> None:
    """Remove our figures of records that are gone; those of predictions stay where none were asked for."""
    planned = {directory / figure.picture.path for figure in figures}
    for path in (directory / "figures").glob("*.png"):
        kept = path.stem.endswith(PREDICTIONS) and not predictions
        if path not in planned and not kept and drawn_from(path) is not None:
            path.unlink()


def _shown(block: Block, failures: dict[str, str]) -> Block:
    """In place of a figure that could not be drawn, the line that says so."""
    return Text(f"{failures[block.path]}.") if isinstance(block, Picture) and block.path in failures else block


def _blocks(
    begin: Sequence[Block], found: Sequence[Table], groups: Sequence[Alike], figures: Sequence[Planned]
) -> list[Block]:
    """The report, as if every figure were there."""

    def of(place: int) -> list[Picture]:
        return [figure.picture for figure in figures if figure.place == place]

    blocks = [*begin, *overview(groups), *of(RANKS)]
    for number, table in enumerate(found):
        blocks += section(table, of(number))
    return [*blocks, *_everywhere(of(EVERYWHERE)), *published(found)]


def _everywhere(pictures: Sequence[Picture]) -> list[Block]:
    if not pictures:
        return []
    text = (
        "Over all tasks: how far a random order of the same set moves the code, relative to the code. The controls at "
        "the bottom are not invariant, and show that the measurement can fail."
    )
    return [Heading("Is it really invariant?", 2), Text(text), *pictures]


def _plan(found: Sequence[Table], groups: Sequence[Alike], kept: Path | None) -> list[Planned]:
    """Which figures there are. Predictions are drawn from what lies in the folder ``kept``; None where they are not
    asked for."""
    figures: list[Planned] = []
    names: set[str] = set()

    def add(place: int, name: str, alt: str, draw: Callable[[], Figure], source: str) -> None:
        figures.append(Planned(place, Picture(f"figures/{name}.png", one_line(alt, 300)), draw, source))

    several = Counter(table.key.task for table in found)
    sources = [of_table(table) for table in found]
    for group in groups:
        if group.standing:
            name = _file_name("ranks", *(group.common if len(groups) > 1 else ()))
            alt = f"critical-difference diagram of mean ranks, {' · '.join(filter(None, group.common))}"
            members = {id(table) for table in group.tables}
            drawn = of_all(source for table, source in zip(found, sources, strict=True) if id(table) in members)
            add(RANKS, name, alt, lazy("ranks:ranks_figure", group.standing), drawn)
    for number, table in enumerate(found):
        key = table.key
        how = (f"{key.threads}threads", *key.computed[1:])
        distinguish = (key.preset, key.device, *how, key.data, key.checksum[:6])
        name = _file_name(key.task, *(distinguish if several[key.task] > 1 else ()))
        while name in names:  # two names that differ in what a file's name cannot hold
            name += "x"
        names.add(name)
        source = sources[number]
        if any(result.train for result in table.models):
            alt = f"{table.headline} against training time, {title(table)}"
            add(number, f"{name}_time", alt, lazy("time:time_figure", table), source)
        if any(measured.figures.get("angle") for result in table.models for measured in result.measured):
            add(number, name, f"error against angle, {title(table)}", lazy("angle:angle_figure", table), source)
        shown = gallery(table, kept) if kept else None
        if shown:
            alt = f"predictions beside the truth, {title(table)}"
            add(number, f"{name}_pictures", alt, lazy("gallery:pictures_figure", shown), of_gallery(shown, source))
        if shown and shown.iterative:
            alt = f"{shown.iterative[0].label} on its way to the answer, {title(table)}"
            add(number, f"{name}_steps", alt, lazy("gallery:steps_figure", shown), of_gallery(shown, source))
    if any(result.error is not None for table in found for result in table.results):
        add(
            EVERYWHERE,
            "invariance",
            "invariance error of every encoder",
            lazy("invariance:invariance_figure", found),
            of_all(sources),
        )
    return figures


def lazy(target: str, what: object) -> Callable[[], Figure]:
    """A call of ``module:function`` of the figures, which imports matplotlib and seaborn, for later."""
    module, _, name = target.partition(":")

    def draw() -> Figure:
        figure: Figure = getattr(import_module(f"setbench.bench.report.figures.{module}"), name)(what)
        return figure

    return draw


def _file_name(*parts: str) -> str:
    words = (re.sub(r"[^A-Za-z0-9.]+", "_", text).strip("_.") for text in parts)
    name = "_".join(filter(None, words)) or "task"
    if len(name) <= NAME_LENGTH:
        return name
    return f"{name[: NAME_LENGTH - 9]}_{hashlib.sha256(name.encode()).hexdigest()[:8]}"
