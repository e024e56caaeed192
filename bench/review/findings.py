"""What a reviewer would object to in a results folder, a sentence a kind."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from setbench.bench.plan.cells import Request, asked_tasks, plan
from setbench.bench.plan.presets import PRESETS, Preset, load
from setbench.bench.records.record import Record
from setbench.bench.report.flat_csv import csv_text
from setbench.bench.report.result import Result
from setbench.bench.report.tables import Table, tables
from setbench.bench.review.reading import Read
from setbench.files import error_line
from setbench.tasks.catalogue import TASKS

BUDGET = ("steps", "batch", "latent", "width")
"""What all rows of a table have alike, but for rows that the preset gives a network of their own."""


@dataclass(frozen=True)
class Reviewed:
    """A folder as it was read, and the tables of its records."""

    folder: Path
    read: Read
    tables: list[Table]

    @property
    def records(self) -> list[Record]:
        return list(self.read.records.values())


def reviewed(folder: Path, read: Read) -> Reviewed:
    return Reviewed(folder, read, tables(read.records.values(), folder))


def damaged(found: Reviewed) -> Iterator[str]:
    """records that cannot be read"""
    yield from found.read.damaged


def newer_schema(found: Reviewed) -> Iterator[str]:
    """records that a later version of the suite wrote"""
    yield from found.read.newer


def older_schema(found: Reviewed) -> Iterator[str]:
    """records of an older schema"""
    yield from found.read.older


def not_ok(found: Reviewed) -> Iterator[str]:
    """cells that ended badly"""
    yield from (f"{one.cell}: {one.status}" for one in found.records if not one.status.expected)


def seeds_missing(found: Reviewed) -> Iterator[str]:
    """rows that lack a seed"""
    for table, row in _rows(found):
        if row.missing and row.measured:
            yield f"{_name(table)} · {row.label}: seed {', '.join(map(str, row.missing))}"


def one_seed(found: Reviewed) -> Iterator[str]:
    """tables of one seed, which have no intervals"""
    yield from (_name(table) for table in found.tables if len(table.seeds) == 1)


def several_tables(found: Reviewed) -> Iterator[str]:
    """tasks whose rows stand in several tables, for they differ in data, device, threads or precision"""
    places: dict[tuple[str, str], list[Table]] = defaultdict(list)
    for table in found.tables:
        if table.models:
            places[table.key.task, table.key.preset].append(table)
    parts = ("data", "checksum", "device", "threads", "precision")
    for (task, preset), alike in places.items():
        differ = [part for part in parts if len({getattr(table.key, part) for table in alike}) > 1]
        if differ:
            yield f"{task} of {preset}: {len(alike)} tables, by {', '.join(differ)}"


def budgets(found: Reviewed) -> Iterator[str]:
    """rows of a table that differ in steps, batch, latent or width, or from what the preset gives them alone"""
    for table in found.tables:
        preset = _preset(table.key.preset)
        of_row = preset.row if preset else {}
        for name in BUDGET:
            own = {row.label: of_row[row.label][name] for row in table.models if name in of_row.get(row.label, {})}
            values: Counter[str] = Counter()
            for row in table.models:
                has = [record.settings.get(name) for record in row.records]
                if row.label not in own:
                    values.update(map(str, has))
                elif set(has) != {own[row.label]}:
                    yield f"{_name(table)} · {row.label}: {name} {has[0]}, by the preset {own[row.label]}"
            if len(values) > 1:
                shown = ", ".join(f"{value} ({count} cells)" for value, count in values.most_common())
                yield f"{_name(table)}: {name} {shown}"


def tuned_unlike(found: Reviewed) -> Iterator[str]:
    """tables of which some cells have a tuned rate and others have none"""
    for table in found.tables:
        cells = [record for row in table.models for record in row.records]
        without = [record for record in cells if not record.tuned]
        if 0 < len(without) < len(cells):
            yield f"{_name(table)}: {len(without)} of {len(cells)} without, as {without[0].row}"


def other_code(found: Reviewed) -> Iterator[str]:
    """rows that other code than this made"""
    yield from (f"{_name(table)} · {row.label}" for table, row in _rows(found) if row.other_code)


def replayed(found: Reviewed) -> Iterator[str]:
    """rows of older code whose first steps alone were run again"""
    yield from (f"{_name(table)} · {row.label}" for table, row in _rows(found) if row.replayed)


def uncommitted(found: Reviewed) -> Iterator[str]:
    """cells made with changes that no commit has, or by no commit"""
    yield from (one.cell for one in found.records if one.dirty or not one.commit)


def several_commits(found: Reviewed) -> Iterator[str]:
    """commits that the records come from, where there are several"""
    counts = Counter(one.commit for one in found.records if one.commit)
    if len(counts) > 1:
        yield from (f"{commit[:12]} ({count} cells)" for commit, count in counts.most_common())


def tasks_missing(found: Reviewed) -> Iterator[str]:
    """tasks of the preset that are not there"""
    for name in dict.fromkeys(one.preset for one in found.records):
        preset = _preset(name)
        if preset is not None:
            there = {one.task for one in found.records if one.preset == name}
            yield from (f"{task} of {name}" for task in preset.on or TASKS if task not in there)


def rows_missing(found: Reviewed) -> Iterator[str]:
    """rows of the preset that are not there"""
    places = dict.fromkeys((one.preset, one.task) for one in found.records if one.task in TASKS)
    for name, task in places:
        preset = _preset(name)
        if preset is None:
            continue
        request = Request(asked_tasks([task]), None, None, (0,), preset, "cpu", None)
        there = {one.row for one in found.records if (one.preset, one.task) == (name, task)}
        for row in dict.fromkeys(cell.row for cell in plan(request)):
            if row not in there:
                yield f"{task} of {name} · {row}"


def another_page(found: Reviewed) -> Iterator[str]:
    """files of the report that are not of these records (--report-only makes them)"""
    path = found.folder / "leaderboard.csv"
    if not path.exists():
        return
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        yield f"{path.name}: {error_line(error)}"
    else:
        if _lines(text) != _lines(csv_text(found.records)):
            yield path.name


KINDS: Sequence[Callable[[Reviewed], Iterator[str]]] = (
    damaged, newer_schema, older_schema, not_ok, tasks_missing, rows_missing, seeds_missing, one_seed, several_tables,
    budgets, tuned_unlike, other_code, replayed, uncommitted, several_commits, another_page,
)  # fmt: skip
"""In the order in which they are told; the docstring is the line's beginning."""


def _rows(found: Reviewed) -> Iterator[tuple[Table, Result]]:
    return ((table, row) for table in found.tables for row in table.results if not row.constant)


def _name(table: Table) -> str:
    return f"{table.key.task} of {table.key.preset}"


def _preset(name: str) -> Preset | None:
    """A shipped preset, shortened where its name says so; None of a user's own."""
    own, slash, times = name.partition("/")
    if own not in PRESETS or (slash and not times.isdecimal()):
        return None
    return load(own).shortened(int(times or 1))


def _lines(text: str) -> list[str]:
    """Whatever order the records were read in."""
    return sorted(text.splitlines())
