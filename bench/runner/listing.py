"""What ``--list`` and ``--dry-run`` print, and the catalogue of the README. Imports no torch.

``python -m setbench.bench.runner.listing`` prints the README's.
"""

from __future__ import annotations

from collections import Counter

from tabulate import tabulate

from setbench.bench.plan.estimate import UNKNOWN, Estimate, human
from setbench.bench.records.machine import processor
from setbench.bench.runner.driver import Run
from setbench.models.catalogue import CATALOGUE
from setbench.models.entry import Entry
from setbench.tasks.catalogue import TASKS

KINDS = {
    "encoder": "Set encoders (--models)",
    "predictor": "Whole set-to-set models (--models)",
    "decoder": "Set decoders (--decoders)",
}


def catalogue_text() -> str:
    """All tasks, encoders and decoders, with their options."""
    parts = [
        "Tasks (--tasks)",
        tabulate(
            [(task.name, task.group, task.headline, task.asks) for task in TASKS.values()],
            headers=("task", "kind", "headline", "asks"),
            maxcolwidths=[None, None, None, 70],
        ),
    ]
    for kind, title in KINDS.items():
        entries = [entry for entry in CATALOGUE.values() if entry.kind == kind]
        if entries:
            table = [
                (entry.name, entry.paradigm, entry.invariance, entry.cost, entry.paper, _does(entry), _options(entry))
                for entry in entries
            ]
            headers = ("name", "paradigm", "invariance", "cost in N", "paper", "what it does", "options")
            parts += ["", title, tabulate(table, headers=headers, maxcolwidths=[None, None, None, 14, 24, 40, 36])]
    return "\n".join(parts)


def catalogue_markdown() -> str:
    """The architectures as a table for the README; the first line of a kind is its title."""
    parts = []
    for kind, title in KINDS.items():
        table = [
            (f"`{entry.name}`", entry.paradigm, entry.invariance, entry.cost, entry.paper, _does(entry))
            for entry in CATALOGUE.values()
            if entry.kind == kind
        ]
        headers = ("name", "paradigm", "invariance", "cost in N", "paper", "what it does")
        parts += [f"**{title}**", tabulate(table, headers=headers, tablefmt="github")]
    return "\n\n".join(parts)


def _does(entry: Entry) -> str:
    return entry.summary + "; no larger sets than it was built for" * entry.fixed_size


def _options(entry: Entry) -> str:
    return ", ".join(f"{name}={option.default}" for name, option in entry.options.items())


def plan_text(run: Run) -> str:
    """The plan: cells by task, those that will not run and why, and how long it will take."""
    estimate = Estimate(run.records.values(), processor())
    missing = {cell.identity for cell in run.missing}
    table = []
    for task in run.request.tasks:
        cells = [cell for cell in run.cells if cell.task == task]
        due = [cell for cell in cells if cell.identity in missing and not cell.blocked]
        done = sum(cell.identity not in missing for cell in cells)
        blocked = sum(cell.blocked is not None for cell in cells)
        seconds = sum(map(estimate.cell, due))
        table.append((task, len(cells), done, blocked, len(due), human(seconds)))
    lines = [tabulate(table, headers=("task", "cells", "done", "cannot run", "to run", "work"))]
    reasons = Counter((cell.task, cell.row, *cell.blocked) for cell in run.cells if cell.blocked)
    if reasons:
        lines += ["", "Will not run:"]
        lines += [f"  {task} · {row}: {status}: {why}" for task, row, status, why in reasons]
    for task in run.request.tasks:
        cells = [cell for cell in run.cells if cell.task == task]
        reason = TASKS[task].unavailable(cells[0].settings.task_options, run.options.data)
        if reason:
            lines.append(f"  {task}: no_data: {reason}")
    due = [cell for cell in run.missing if not cell.blocked]
    lines += ["", f"{len(due)} cells to run, {run.jobs} at a time on {run.device}: about {human(run.seconds())}"]
    if due and not estimate.knows(run.request.preset.name, run.device):
        lines.append(
            f"a guess, {human(UNKNOWN)} a cell: nothing of the {run.request.preset.name} preset has been timed on "
            f"{run.device}"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    print(catalogue_markdown())
