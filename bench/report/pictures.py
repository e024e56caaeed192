"""Which predictions are drawn beside the truth: some rows of a table on a few test examples that all of them saw."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from setbench.bench.records.predictions import SEED, Examples, Predictions, load
from setbench.bench.report.tables import Line, Table
from setbench.tasks.catalogue import TASKS

MODELS = 5


@dataclass(frozen=True)
class Shown:
    """A table's ``kind`` of picture (see ``TaskEntry``), the examples, and what rows made of them."""

    table: Table
    kind: str
    examples: Examples
    rows: list[tuple[Line, Predictions]]

    @property
    def iterative(self) -> tuple[Line, Predictions] | None:
        """The best row that passes through several sets."""
        return next((row for row in self.rows if len(row[1].elements) > 1), None)


def shown(table: Table, directory: Path) -> Shown | None:
    """What there is to draw; None where the task has no picture or no row kept any."""
    task = TASKS.get(table.key.task)
    if task is None or not task.picture:
        return None
    kept = [(line, load(directory, record["id"])) for line in table.models for record in line.ok if _first(record)]
    found = [(line, *pictures) for line, pictures in kept if pictures is not None]
    if not found:
        return None
    usual = Counter(name for _, name, _, _ in found).most_common(1)[0][0]
    examples = next(examples for _, name, examples, _ in found if name == usual)
    rows = [(line, predictions) for line, name, _, predictions in found if name == usual]
    return Shown(table, task.picture, examples, _chosen(rows))


def _first(record: dict[str, object]) -> bool:
    return record.get("seed") == SEED


def _chosen(rows: list[tuple[Line, Predictions]]) -> list[tuple[Line, Predictions]]:
    """The best row of every decoder, then the best of the rest; in the table's order."""
    best: dict[str, int] = {}
    for place, (line, _) in enumerate(rows):
        best.setdefault(line.records[0].get("decoder") or line.label, place)
    order = [*best.values(), *(place for place in range(len(rows)) if place not in best.values())]
    return [rows[place] for place in sorted(order[:MODELS])]
