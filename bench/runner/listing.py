"""What ``--list`` and ``--dry-run`` print, and the catalogue of the documentation. Imports no torch.

``python -m setbench.bench.runner.listing`` prints docs/catalogue.md.
"""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Mapping, Sequence

from tabulate import tabulate

from setbench.bench.plan.cells import Cell
from setbench.bench.plan.estimate import STEPS, Estimate, expected, human
from setbench.bench.plan.presets import OPTIONS
from setbench.bench.runner.driver import Run
from setbench.console import Column, filled, fitted, width
from setbench.models.catalogue import CATALOGUE
from setbench.models.entry import Entry
from setbench.options import Option, UnknownName, nearest
from setbench.tasks.catalogue import TASKS
from setbench.tasks.entry import TaskEntry

TASK_COLUMNS = (
    Column("task"),
    Column("kind", least=100, folds=True),
    Column("headline", least=80),
    Column("asks", folds=True),
    Column("options", least=140, folds=True),
)
MODEL_COLUMNS = (
    Column("name"),
    Column("paradigm", least=80),
    Column("invariance", least=100),
    Column("cost in N", least=120, folds=True),
    Column("paper", least=100, folds=True),
    Column("what it does", folds=True),
    Column("options", least=140, folds=True),
)
OPTION_COLUMNS = (Column("option"), Column("default"), Column("takes", folds=True), Column("meaning", folds=True))
PLAN_COLUMNS = (
    Column("task"),
    Column("cells", least=80, right=True),
    Column("done", least=70, right=True),
    Column("of other code", least=100, right=True),
    Column("cannot run", least=90, right=True),
    Column("to run", right=True),
    Column("work"),
)

KINDS = {
    "encoder": "Set encoders (--models)",
    "predictor": "Whole set-to-set models (--models)",
    "decoder": "Set decoders (--decoders)",
}


def catalogue_text() -> str:
    """All tasks, encoders and decoders, with the names of their options."""
    wide = width()
    rows = [(task.name, task.group, task.headline, task.asks, _options(task)) for task in TASKS.values()]
    parts = ["Tasks (--tasks)", fitted(TASK_COLUMNS, rows, wide)]
    for kind, title in KINDS.items():
        entries = [entry for entry in CATALOGUE.values() if entry.kind == kind]
        if entries:
            table = [
                (entry.name, entry.paradigm, entry.invariance, entry.cost, entry.paper, _does(entry), _options(entry))
                for entry in entries
            ]
            parts += ["", title, fitted(MODEL_COLUMNS, table, wide)]
    hint = "--list NAME says what one's options mean; --list settings what --set can change."
    parts += ["", _wrapped(hint)]
    return "\n".join(parts)


def entry_text(names: Sequence[str]) -> str:
    """Some tasks or models, each with all its options and their meanings; "settings" are those of ``--set``.

    Raises:
        UnknownName: a name that is neither, with the nearest.
    """
    parts = []
    for name in names:
        known: dict[str, TaskEntry | Entry] = {**TASKS, **CATALOGUE}
        if name == "settings":
            about = _wrapped("settings: every number of a preset, by the name that --set knows it by")
            parts.append(f"{about}\n\n{_table(OPTIONS)}")
        elif name not in known:
            raise UnknownName(f"--list {name}: there is none; {nearest(name, [*known, 'settings'])}")
        else:
            entry = known[name]
            head = _task(entry) if isinstance(entry, TaskEntry) else _model(entry)
            parts.append(f"{name}\n{head}\n\n" + (_table(entry.options) if entry.options else "It has no options."))
    return "\n\n".join(parts)


def _task(task: TaskEntry) -> str:
    return _wrapped(f"{task.group}; ranked by {task.headline}", task.asks, task.good)


def _model(entry: Entry) -> str:
    claim = f"invariance {entry.invariance}" + (f" ({entry.why})" if entry.why else "")
    facts = [f"{entry.kind}, {entry.paradigm}", claim, f"cost in N: {entry.cost}", entry.paper]
    return _wrapped("; ".join(filter(None, facts)), _does(entry))


def _wrapped(*lines: str) -> str:
    return "\n".join(textwrap.fill(line, width()) for line in lines)


def _table(options: Mapping[str, Option]) -> str:
    rows = [(name, option.default, option.wanted, option.meaning) for name, option in options.items()]
    return fitted(OPTION_COLUMNS, [[str(cell) for cell in row] for row in rows], width())


def catalogue_markdown() -> str:
    """The architectures and tasks as docs/catalogue.md."""
    parts = [
        "# The catalogue",
        "Made by `python -m setbench.bench.runner.listing`. `python run_all.py --list NAME` says what one's options "
        "mean.",
        "## Tasks (--tasks)",
        tabulate(
            [(f"`{task.name}`", task.group, task.headline, task.asks) for task in TASKS.values()],
            headers=("name", "kind", "ranked by", "asks"),
            tablefmt="github",
        ),
    ]
    for kind, title in KINDS.items():
        table = [
            (f"`{entry.name}`", entry.paradigm, entry.invariance, entry.cost, entry.paper, _does(entry))
            for entry in CATALOGUE.values()
            if entry.kind == kind
        ]
        headers = ("name", "paradigm", "invariance", "cost in N", "paper", "what it does")
        parts += [f"## {title}", tabulate(table, headers=headers, tablefmt="github")]
    return "\n\n".join(parts) + "\n"


def _does(entry: Entry) -> str:
    return entry.summary + "; no larger sets than it was built for" * entry.fixed_size


def _options(entry: Entry | TaskEntry) -> str:
    return ", ".join(f"{name}={option.default}" for name, option in entry.options.items())


def plan_text(run: Run) -> str:
    """The plan: cells by task, those that will not run and why, and how long it will take."""
    estimate = run.estimate
    missing = {cell.identity for cell in run.missing}
    table = []
    tasks = list(dict.fromkeys(cell.task for cell in run.cells))
    for task in tasks:
        cells = [cell for cell in run.cells if cell.task == task]
        due = [cell for cell in cells if cell.identity in missing and not cell.blocked]
        done = sum(cell.identity not in missing for cell in cells)
        blocked = sum(cell.blocked is not None for cell in cells)
        stale = sum(map(run.stale, cells))
        counts = len(cells), done, stale, blocked, len(due)
        table.append([task, *(f"{n:,}" for n in counts), _work(estimate, due)])
    shard = run.options.shard
    head = [f"shard {shard.place} of {shard.parts}:"] if shard else []
    head += [fitted(PLAN_COLUMNS, table, width())]
    lines = [f"  {cell}: its record was made by other code" for cell in run.cells if run.stale(cell)]
    lines += [f"  {cell}" for cell in run.missing if shard and not cell.blocked]
    reasons = Counter((cell.task, cell.row, *cell.blocked) for cell in run.cells if cell.blocked)
    if reasons:
        lines += ["", "Will not run:"]
        lines += [f"  {task} · {row}: {status}: {why}" for task, row, status, why in reasons]
    for task in tasks:
        cells = [cell for cell in run.cells if cell.task == task]
        reason = TASKS[task].unavailable(cells[0].settings.task_options, run.options.data)
        if reason:
            lines.append(f"  {task}: no_data: {reason}")
    due = [cell for cell in run.missing if not cell.blocked]
    words = expected(run.seconds(), estimate.unknown(due), len(due))
    lines += ["", f"{len(due)} cells to run, {run.jobs} at a time on {run.device}: {words}"]
    lines += _sources(run, due)
    kept = sum(run.checkpoint(cell).path.exists() for cell in due)
    often = [every for cell in due if (every := run.checkpoint(cell).every) < float("inf")]
    if often:
        lines.append(f"{len(often)} of them keep a checkpoint every {min(often):g} s")
    if kept:
        lines.append(f"{kept} of them go on from a checkpoint")
    return "\n".join([*head, *map(filled, lines)])


def _work(estimate: Estimate, due: Sequence[Cell]) -> str:
    """How long the cells of a task take, one after another."""
    unknown = estimate.unknown(due)
    if unknown and unknown == len(due):
        return "unknown"
    known = human(sum(estimate.cell(cell) or 0.0 for cell in due))
    return f"{known}, {unknown} unknown" if unknown else known


def _sources(run: Run, due: Sequence[Cell]) -> list[str]:
    """What an estimate rests on, and what is not in it."""
    lines = []
    steps = sum(map(run.estimate.extrapolated, due))
    if steps:
        lines.append(
            f"{steps} of them by one timed step ({STEPS.name}) times their steps: training alone, without validation, "
            "evaluation and timing"
        )
    unknown = run.estimate.unknown(due)
    if unknown:
        lines.append(f"unknown: nothing like {unknown} of them has been timed on {run.device}")
    data = dict.fromkeys(task for preset, task in run.unprepared() if run.estimate.data(preset, task) is None)
    if data:
        lines.append(f"unknown: how long it takes to prepare the data of {', '.join(data)}")
    return lines


if __name__ == "__main__":
    print(catalogue_markdown(), end="")
