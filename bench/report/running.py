"""How the rows of one table were run: what they share, and where they differ."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from setbench.bench.report.numbers import number, spread
from setbench.bench.report.tables import Line, Table, distinct, part

ALIKE = ("steps", "batch", "latent")  # DESIGN.md: every row of a table has the same
NAMED = 6  # models named before "and n more"


def how_it_was_run(table: Table) -> list[str]:
    """Budget, tuning, notes, timing, machine, commit: one plain sentence each."""
    lines = [line for line in table.lines if not line.constant and part(line.records[0], "settings")]
    names = list(dict.fromkeys(name for line in lines for name in part(line.records[0], "settings")))
    same, differ = [], []
    for name in names:
        found = _by(lines, lambda line, name=name: _setting(part(line.records[0], "settings").get(name)))  # type: ignore[misc]
        if len(found) == 1:
            same.append(f"{_words(name)} {next(iter(found))}")
        else:
            warning = "NOT ALIKE, so not quite comparable: " if name in ALIKE else ""
            differ.append(f"{warning}{_words(name)} {_listed(found)}.")
    items = [f"All rows: {', '.join(same)}."] if same else []
    items += differ
    items += _tuning(lines)
    items += _notes(lines)
    items += _timing(table)
    items += _commits(table)
    if table.older:
        items.append(f"Left out: {len(table.older)} older results of rows that were run again with other settings.")
    return items


def _words(name: str) -> str:
    return name.replace("_", " ")


def _setting(value: Any) -> str:
    if isinstance(value, dict):
        return "(" + ", ".join(f"{_words(name)} {_setting(item)}" for name, item in value.items()) + ")"
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return str(value) if value not in ("", None) else "none"
    return f"{value:,}" if isinstance(value, int) else f"{value:g}"


def _by(lines: list[Line], say: Callable[[Line], str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for line in lines:
        found.setdefault(say(line), []).append(line.label)
    return dict(sorted(found.items(), key=lambda item: -len(item[1])))


def _listed(found: dict[str, list[str]]) -> str:
    """``0.001 (most rows); 0.003 (deep_sets, mlp and 2 more)``."""
    parts = []
    for place, (value, labels) in enumerate(found.items()):
        who = "all other rows" if place == 0 and len(labels) > NAMED else _names(labels)
        parts.append(f"{value} ({who})")
    return "; ".join(parts)


def _names(labels: list[str]) -> str:
    more = f" and {len(labels) - NAMED} more" if len(labels) > NAMED else ""
    return ", ".join(labels[:NAMED]) + more


def _tuning(lines: list[Line]) -> list[str]:
    found = _by(
        lines, lambda line: (line.records[0].get("tuned") or "no, these are the preset's own numbers").rstrip(".")
    )
    if len(found) == 1:
        return [f"Tuned: {next(iter(found))}."]
    return [f"Tuned: {_listed(found)}."] if found else []


def _notes(lines: list[Line]) -> list[str]:
    ran = [line for line in lines if line.ok]
    found = {note: [line.label for line in ran if note in line.notes] for line in ran for note in line.notes}
    return [
        f"Note: {note} ({'every row' if len(labels) == len(ran) else _names(labels)})."
        for note, labels in found.items()
    ]


def _timing(table: Table) -> list[str]:
    ok = [record for line in table.lines for record in line.ok]
    times = [part(record, "time") for record in ok]
    said = []
    batches = distinct(str(time["latency_batch"]) for time in times if time.get("latency_batch"))
    threads = distinct(str(time["threads"]) for time in times if time.get("threads"))
    if batches:
        on = f", on {' or '.join(threads)} thread{'s' if threads != ['1'] else ''}" if threads else ""
        reference = spread(time.get("reference_ms") for time in times if time.get("reference_ms"))
        beside = f"; the reference operation beside it took {number(reference.mean)} ms" if reference else ""
        said.append(f"Latency: a batch of {' or '.join(batches)}{on}{beside}.")
    if len(table.machines) > 1:
        said.append(
            f"Rows were timed on {len(table.machines)} machines ({'; '.join(table.machines)}): latency is given in "
            "units of the reference operation timed beside it, and train seconds do not compare."
        )
    elif table.machines:
        said.append(f"Machine: {table.machines[0]}.")
    return said


def _commits(table: Table) -> list[str]:
    """Rows measured at an older commit are named: they are flagged, and not run again."""
    newest = max(table.records, key=lambda record: record.get("finished") or "").get("commit")
    if not newest:
        return []
    old = [
        line.label for line in table.lines if any(record.get("commit") not in (newest, None) for record in line.records)
    ]
    older = f"; at an older one: {_names(old)}" if old else ""
    return [f"Commit: {newest[:12]}{older}."]
