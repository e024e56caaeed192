"""How the rows of one table were run: what they share, and where they differ."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from setbench.bench.report.document import some
from setbench.bench.report.numbers import number
from setbench.bench.report.result import Result
from setbench.bench.report.tables import Table, distinct

ALIKE = ("steps", "batch", "latent")  # every row of a table should have the same
NAMED = 6  # models named before "and n more"


def how_it_was_run(table: Table) -> list[str]:
    """Budget, tuning, notes, timing, machine, commit: one plain sentence each."""
    results = [result for result in table.results if not result.constant and result.records[0].settings]
    names = list(dict.fromkeys(name for result in results for name in result.records[0].settings))
    same, differ = [], []
    for name in names:
        found = _by(results, lambda result, name=name: _setting(result.records[0].settings.get(name)))  # type: ignore[misc]
        if len(found) == 1:
            same.append(f"{_words(name)} {next(iter(found))}")
        else:
            warning = "NOT ALIKE, so not quite comparable: " if name in ALIKE else ""
            differ.append(f"{warning}{_words(name)} {_listed(found)}.")
    items = [f"All rows: {', '.join(same)}."] if same else []
    items += differ
    items += _tuning(results)
    items += _notes(results)
    items += _timing(table)
    items += _commits(table)
    if table.older:
        items.append(f"Left out: {len(table.older)} older results of rows that were run again with other settings.")
    return items


def _words(name: str) -> str:
    return name.replace("_", " ")


def _setting(value: object) -> str:
    if isinstance(value, Mapping):
        return "(" + ", ".join(f"{_words(name)} {_setting(item)}" for name, item in value.items()) + ")"
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return str(value) if value not in ("", None) else "none"
    return f"{value:,}" if isinstance(value, int) else f"{value:g}"


def _by(results: list[Result], say: Callable[[Result], str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for result in results:
        found.setdefault(say(result), []).append(result.label)
    return dict(sorted(found.items(), key=lambda item: -len(item[1])))


def _listed(found: dict[str, list[str]]) -> str:
    """``0.001 (most rows); 0.003 (deep_sets, mlp and 2 more)``."""
    parts = []
    for place, (value, labels) in enumerate(found.items()):
        who = "all other rows" if place == 0 and len(labels) > NAMED else some(labels, NAMED)
        parts.append(f"{value} ({who})")
    return "; ".join(parts)


def _tuning(results: list[Result]) -> list[str]:
    found = _by(
        results, lambda result: (result.records[0].tuned or "no, these are the preset's own numbers").rstrip(".")
    )
    if len(found) == 1:
        return [f"Tuned: {next(iter(found))}."]
    return [f"Tuned: {_listed(found)}."] if found else []


def _notes(results: list[Result]) -> list[str]:
    ran = [result for result in results if result.ok]
    found = {note: [result.label for result in ran if note in result.notes] for result in ran for note in result.notes}
    return [
        f"Note: {note} ({'every row' if len(labels) == len(ran) else some(labels, NAMED)})."
        for note, labels in found.items()
    ]


def _timing(table: Table) -> list[str]:
    times = [found.time for result in table.results for found in result.measured if found.time is not None]
    sentences = []
    if times:
        batches = " or ".join(distinct(str(time.latency_batch) for time in times))
        threads = f"{table.key.threads} thread{'s' if table.key.threads != 1 else ''}"
        sentences.append(f"Latency: a batch of {batches}, on {threads}{_reference(table)}.")
    if len(table.machines) > 1:
        sentences.append(
            f"Rows were timed on {len(table.machines)} machines ({'; '.join(table.machines)}): latency is given in "
            "units of the reference operation timed beside it, and train seconds do not compare. A row whose seeds ran "
            "on several kinds of processor has the times of the kind with most of them."
        )
    elif table.machines:
        sentences.append(f"Machine: {table.machines[0]}.")
    return sentences


def _reference(table: Table) -> str:
    if not table.references:
        return ""
    low, high = min(table.references), max(table.references)
    if not table.wavered:
        return f"; the reference operation beside it took {number(sum(table.references) / len(table.references))} ms"
    if len(table.machines) > 1:
        return f"; the reference operation beside it took {number(low)} to {number(high)} ms"
    return (
        f"; the reference operation beside it took {number(low)} to {number(high)} ms, so the machine wavered by "
        f"{(high - low) / low:.0%} and latencies are given as multiples of it; train seconds waver alike"
    )


def _commits(table: Table) -> list[str]:
    """Rows measured at an older commit are named: they are flagged, and not run again."""
    newest = max(table.records, key=lambda record: record.finished).commit
    if not newest:
        return []
    old = [
        result.label for result in table.results if any(record.commit not in (newest, "") for record in result.records)
    ]
    older = f"; at an older one: {some(old, NAMED)}" if old else ""
    return [f"Commit: {newest[:12]}{older}."]
