"""``--tune``: the same small grid of learning rates for every row, on the validation split, which no table reports.

The choices are written beside the results, as a preset that ``--preset RESULTS/tuned.toml`` runs; the package keeps the
rates that it shipped with.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

from setbench.bench.plan.cells import Cell
from setbench.bench.plan.presets import Preset
from setbench.bench.records.record import Record
from setbench.bench.runner.driver import Run
from setbench.files import write_atomically

GRID = (1 / 3, 1.0, 3.0)
"""Factors on the preset's learning rate: every row gets these trials and no others."""


def trials(cells: Sequence[Cell], preset: Preset) -> list[Cell]:
    """The cells of the grid: one seed a row, scored on the validation split."""
    rows = {(cell.task, cell.row): cell for cell in reversed(cells) if not cell.constant and not cell.blocked}
    made = []
    for cell in reversed(rows.values()):
        rate = replace(preset, tuned={}).settings(cell.task, cell.row)[0].learning_rate  # the preset's own
        for factor in GRID:
            settings = replace(cell.settings, learning_rate=float(f"{rate * factor:.3g}"))
            made.append(replace(cell, settings=settings, split="validation", tuned=""))
    return made


def best(records: Sequence[Record]) -> dict[str, dict[str, float]]:
    """task -> row -> learning rate of the best headline; a trial that failed or gave no finite number never wins."""
    scores: dict[tuple[str, str], list[tuple[float, float]]] = defaultdict(list)
    for record in records:
        if record.measured is None or record.measured.score is None:
            continue
        info = record.measured.metric_info[record.measured.headline.metric]
        sign = 1 if info.higher_is_better else -1
        scores[record.task, record.row].append((sign * record.measured.score, record.settings["learning_rate"]))
    chosen: dict[str, dict[str, float]] = defaultdict(dict)
    for (task, row), found in scores.items():
        chosen[task][row] = max(found)[1]
    return dict(chosen)


def tune(run: Run) -> int:
    """Run the grid for the planned rows and write the choices beside the results; the exit code."""
    run.cells = trials(run.cells, run.request.preset)
    run.missing = [cell for cell in run.cells if run.wanted(cell)]
    healthy = run.execute()
    choices = best(run.results())
    factors = ", ".join(f"{factor:.3g}" for factor in GRID)
    how = (
        f"learning rate chosen among {factors} times the preset's, one trial each on the validation split, "
        f"by `{run.options.command}` on {datetime.now(UTC).date().isoformat()}"
    )
    path = run.options.results / "tuned.toml"
    write_atomically(path, preset_text(run.options.preset, choices, how))
    run.progress.say(f"{sum(map(len, choices.values()))} choices written: --preset {path} runs with them")
    return 0 if healthy else 1


def preset_text(preset: str, choices: dict[str, dict[str, float]], how: str) -> str:
    """A preset like another but for these rates, as TOML, whose strings escape as JSON's do."""
    lines = [f"extends = {json.dumps(preset)}", ""]
    for task, rows in sorted(choices.items()):
        lines += [f"[tuned.{task}]"]
        lines += [
            f"{json.dumps(row)} = {{ learning_rate = {rate}, how = {json.dumps(how)} }}"
            for row, rate in sorted(rows.items())
        ]
        lines += [""]
    return "\n".join(lines)
