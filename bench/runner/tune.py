"""``--tune``: the same small grid of learning rates for every row, on the validation split, which no table reports."""

from __future__ import annotations

import json
import math
import tomllib
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

from setbench.bench.plan.cells import Cell
from setbench.bench.plan.presets import Preset, tuned_file
from setbench.bench.records.store import Record, write_atomically
from setbench.bench.runner.driver import Run

GRID = (1 / 3, 1.0, 3.0)
"""Factors on the preset's learning rate: every row gets these trials and no others."""


def trials(cells: Sequence[Cell], preset: Preset) -> list[Cell]:
    """The cells of the grid: one seed a row, scored on the validation split."""
    rows = {(cell.task, cell.row): cell for cell in reversed(cells) if not cell.constant and not cell.blocked}
    made = []
    for cell in reversed(rows.values()):
        rate = preset.settings(cell.task, "")[0].learning_rate  # the preset's own, before any choice
        for factor in GRID:
            settings = replace(cell.settings, learning_rate=float(f"{rate * factor:.3g}"))
            made.append(replace(cell, settings=settings, split="validation", tuned=""))
    return made


def best(records: Sequence[Record]) -> dict[str, dict[str, float]]:
    """task -> row -> learning rate of the best headline; a trial that failed or gave NaN never wins."""
    scores: dict[tuple[str, str], list[tuple[float, float]]] = defaultdict(list)
    for record in records:
        if record["status"] != "ok":
            continue
        metric, variant = record["headline"]["metric"], record["headline"]["variant"]
        value = record["metrics"][variant][metric]
        if value is None or not math.isfinite(value):
            continue
        sign = 1 if record["metric_info"][metric]["higher_is_better"] else -1
        scores[record["task"], record["row"]].append((sign * value, record["settings"]["learning_rate"]))
    chosen: dict[str, dict[str, float]] = defaultdict(dict)
    for (task, row), found in scores.items():
        chosen[task][row] = max(found)[1]
    return dict(chosen)


def tune(run: Run) -> int:
    """Run the grid for the planned rows and write the choices beside the preset; the exit code."""
    run.cells = trials(run.cells, run.request.preset)
    run.missing = [cell for cell in run.cells if run.wanted(cell)]
    healthy = run.execute()
    choices = best(run.results())
    path = tuned_file(run.request.preset.name)
    known = tomllib.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    factors = ", ".join(f"{factor:.3g}" for factor in GRID)
    how = (
        f"learning rate chosen among {factors} times the preset's, one trial each on the validation split, "
        f"by `{run.options.command}` on {datetime.now(UTC).date().isoformat()}"
    )
    for task, chosen in choices.items():
        known[task] = known.get(task, {}) | {row: {"learning_rate": rate, "how": how} for row, rate in chosen.items()}
    lines = []
    for task, rows in sorted(known.items()):
        lines += [f"[{task}]"]
        for row, choice in sorted(rows.items()):
            told = json.dumps(choice["how"])  # TOML's strings escape as JSON's do
            lines += [f'"{row}" = {{ learning_rate = {choice["learning_rate"]}, how = {told} }}']
        lines += [""]
    write_atomically(path, "\n".join(lines))
    run.progress.say(f"{sum(map(len, choices.values()))} choices written to {path.name}")
    return 0 if healthy else 1
