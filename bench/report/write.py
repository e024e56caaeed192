"""Records to files: leaderboard.md, leaderboard.csv, leaderboard.html and figures/."""

from __future__ import annotations

import sys
import warnings
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from setbench.bench.records.merge import elsewhere
from setbench.bench.records.record import Record
from setbench.bench.report import markdown
from setbench.bench.report.document import Block, Contents, Folded, Heading, Picture, Text, one_line
from setbench.bench.report.drawn import drawn_from
from setbench.bench.report.flat_csv import csv_text
from setbench.bench.report.made import how_it_was_made
from setbench.bench.report.overview import overview
from setbench.bench.report.page.render import page
from setbench.bench.report.planned import EVERYWHERE, RANKS, Planned, plan_figures
from setbench.bench.report.published import published
from setbench.bench.report.reading import how_to_read
from setbench.bench.report.sections import heading
from setbench.bench.report.standing import Alike, alike
from setbench.bench.report.tables import Table, reported, tables
from setbench.bench.report.task_section import section
from setbench.files import write_atomically

PREDICTIONS = ("_pictures", "_steps")


def write_report(records: Sequence[Record], directory: Path, *, predictions: bool = False) -> list[Path]:
    """Write the whole report, each file atomically, and say which files there are now.

    With ``predictions`` they are drawn from what the cells kept under ``directory``. Any list of records will do: none,
    one, all failed. The tables come before the figures, so that they are there if drawing is interrupted; a figure that
    cannot be drawn leaves a line in its place. One that is there already, drawn from the same by the same code, is not
    drawn again; one that no record asks for any longer is removed.
    """
    directory = Path(directory)
    records = reported(records)
    found = tables(records, directory)
    others = elsewhere(directory, lambda line: print(line, file=sys.stderr))
    groups = alike(found)
    figures = plan_figures(found, groups, directory if predictions else None)
    blocks = leaderboard(records, others, found, groups, figures)
    write_atomically(directory / "leaderboard.csv", csv_text(records))
    write_atomically(directory / "leaderboard.md", markdown.render(blocks))
    failures = {figure.picture.path: line for figure in figures if (line := _draw(figure, directory))}
    if failures:
        blocks = [_shown(block, failures) for block in blocks]
        write_atomically(directory / "leaderboard.md", markdown.render(blocks))
    _remove_others(figures, directory, predictions)
    write_atomically(directory / "leaderboard.html", page(records, others, found, groups, directory))
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
    if isinstance(block, Folded):
        return Folded(block.summary, [_shown(one, failures) for one in block.blocks])
    return Text(f"{failures[block.path]}.") if isinstance(block, Picture) and block.path in failures else block


def leaderboard(
    records: Sequence[Record],
    elsewhere: Sequence[Record],
    found: Sequence[Table],
    groups: Sequence[Alike],
    figures: Sequence[Planned],
) -> list[Block]:
    """The report, as if every figure were there: the answer, a section a table, and at its end how to read it and how
    it was made."""

    def of(place: int, folded: bool = False) -> list[Picture]:
        return [figure.picture for figure in figures if (figure.place, figure.folded) == (place, folded)]

    statuses = Counter(record.status for record in records)
    counted = ", ".join(f"{n:,} {status}" for status, n in statuses.most_common()) or "none yet"
    text = (
        "Which way of being invariant to the order of a set works best on each task, what it costs, and whether it "
        f"really is invariant. Measured cells: {counted}."
    )
    blocks: list[Block] = [Heading("Leaderboard", 1), Text(text)]
    if not records:
        return [*blocks, Text("There is no record to show yet: run a preset, then make this report again.")]
    ranks: list[Block] = [*of(RANKS), *(Folded(picture.alt, [picture]) for picture in of(RANKS, folded=True))]
    blocks += [Contents(), *overview(groups, ranks)]
    for number, table in enumerate(found):
        blocks += section(table, heading(table, found), of(number), of(number, folded=True))
    blocks += [*_everywhere(of(EVERYWHERE)), *how_to_read(records), *published(found)]
    return [*blocks, *how_it_was_made(records, elsewhere)]


def _everywhere(pictures: Sequence[Picture]) -> list[Block]:
    if not pictures:
        return []
    text = (
        "Over all tasks: how far a random order of the same set moves the code, relative to the code. The controls at "
        "the bottom are not invariant, and show that the measurement can fail."
    )
    return [Heading("Is it really invariant?", 2), Text(text), *pictures]
