"""Which predictions are drawn beside the truth: some rows of a table on a few test examples that all of them saw."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path

from setbench.bench.records.predictions import SEED, Examples, Predictions, load
from setbench.bench.report.result import Result
from setbench.bench.report.tables import Table
from setbench.tasks.catalogue import TASKS
from setbench.tasks.coordinates import published

MODELS = 5


@dataclass(frozen=True)
class Gallery:
    """A table's ``kind`` of picture (see ``TaskEntry``), the examples, and what rows made of them.

    ``iterative`` is the best row that passes through several sets, of those that are no control while there is one.
    """

    table: Table
    kind: str
    examples: Examples
    rows: list[tuple[Result, Predictions]]
    iterative: tuple[Result, Predictions] | None


def gallery(table: Table, directory: Path) -> Gallery | None:
    """What there is to draw; None where the task has no picture or no row kept any."""
    task = TASKS.get(table.key.task)
    if task is None or not task.picture:
        return None
    kept = [
        (result, load(directory, record.id)) for result in table.models for record in result.ok if record.seed == SEED
    ]
    found = [(result, *_published(result, *kept)) for result, kept in kept if kept is not None]
    if not found:
        return None
    usual = Counter(name for _, name, _, _ in found).most_common(1)[0][0]
    examples = next(examples for _, name, examples, _ in found if name == usual)
    rows = [(result, predictions) for result, name, _, predictions in found if name == usual]
    passing = [row for row in rows if len(row[1].elements) > 1]
    iterative = min(passing, key=lambda row: row[0].paradigm == "control", default=None)  # rows come best first
    return Gallery(table, task.picture, examples, _chosen(rows), iterative)


def _published(
    result: Result, name: str, examples: Examples, predictions: Predictions
) -> tuple[str, Examples, Predictions]:
    """What a row kept, its coordinates as the drawings have them whichever the row's models saw."""
    options = result.records[0].settings.get("task_options", {})
    true, told = published(examples.elements, options), published(predictions.elements, options)
    return name, replace(examples, elements=true), replace(predictions, elements=told)


def _chosen(rows: list[tuple[Result, Predictions]]) -> list[tuple[Result, Predictions]]:
    """The best row of every decoder, then the best of the rest; in the table's order."""
    best: dict[str, int] = {}
    for place, (result, _) in enumerate(rows):
        best.setdefault(result.records[0].decoder or result.label, place)
    order = [*best.values(), *(place for place in range(len(rows)) if place not in best.values())]
    return [rows[place] for place in sorted(order[:MODELS])]
