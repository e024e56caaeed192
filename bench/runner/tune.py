"""``--tune``: the same number of trials of the learning rate for every row, on the validation split, which no table
reports.

Trials are records like all others, so that the same command goes on where it was interrupted. They are written beside
the results, one line a trial, and the choices as a preset that ``--preset RESULTS/tuned.toml`` runs. The package keeps
the rates that it shipped with.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import replace

from setbench.bench.plan.cells import Cell
from setbench.bench.plan.presets import Preset
from setbench.bench.plan.rows import stand_in
from setbench.bench.records.record import Status
from setbench.bench.runner.driver import Run
from setbench.bench.runner.trials import RULE, Score, chosen, rates_text, trial, trial_cells, trials_text
from setbench.files import write_atomically


def tuned_rows(cells: Sequence[Cell], preset: Preset) -> list[tuple[Cell, float]]:
    """A cell of every row that is tuned, and the preset's own rate for it. Where a paradigm shares its rates, they are
    those of one of its rows alone."""
    rows = {(cell.task, cell.row): cell for cell in reversed(cells) if not cell.constant and not cell.blocked}
    untuned = replace(preset, tuned={})
    return [
        (cell, untuned.settings(cell.task, cell.row)[0].learning_rate)
        for cell in reversed(rows.values())
        if stand_in(cell.row, preset.shared) == cell.row
    ]


def tune(run: Run) -> int:
    """Run the trials of the planned rows round by round and write the choices beside the results; the exit code: a rate
    at which training diverges is a finding, any other mishap is one.

    Raises:
        ValueError: a row would be chosen between trials of two codes, in one line.
    """
    rows = tuned_rows(run.cells, run.request.preset)
    folder = run.options.results
    for rounds in (1, 2, 3):
        _take(run, rows, lambda cell: _score(run, cell), rounds)
        _refuse_two_codes(run)
        run.execute()
        found = run.results()
        trials = [trial(record) for record in found]
        write_atomically(folder / "trials.tsv", trials_text(trials))
        healthy = all(record.status is Status.DIVERGED or not record.status.retryable for record in found)
        if len(found) < len(run.cells):  # the time budget is spent, --fail-fast, or another run has cells in hand
            return 0 if healthy else 1
    choices = chosen(trials)
    how = f"{RULE}; trials.tsv beside this file has all of them"
    lines = [f"extends = {json.dumps(run.options.preset)}", *rates_text(choices, how)]
    write_atomically(folder / "tuned.toml", "\n".join(lines) + "\n")
    without = [f"{cell.task} · {cell.row}" for cell, _ in rows if cell.row not in choices.get(cell.task, {})]
    for row in without:
        run.progress.say(f"{row}: no rate is chosen, its trials gave no two numbers at full length")
    run.progress.say(f"{len(rows) - len(without)} choices written: --preset {folder / 'tuned.toml'} runs with them")
    return 0 if healthy else 1


def foresee(run: Run) -> None:
    """Take all three rounds into a run's plan, for ``--dry-run``. Where a trial has not been run, the middle rate is
    supposed to be the best: whichever is, the trials are as many and as long."""
    rows = tuned_rows(run.cells, run.request.preset)
    middles = {(cell.task, cell.row): rate for cell, rate in rows}

    def score(cell: Cell) -> float | None:
        if cell.identity in run.records:
            return _score(run, cell)
        return -abs(math.log(cell.settings.learning_rate / middles[cell.task, cell.row]))

    _take(run, rows, score, 3)


def _refuse_two_codes(run: Run) -> None:
    """Raises ValueError, in one line, where trials that are to run would stand beside trials of other code: the better
    of the two is then no choice of a rate."""
    runs = {(cell.task, cell.row) for cell in run.missing}
    kept = [cell for cell in run.cells if (cell.task, cell.row) in runs and cell not in run.missing and run.stale(cell)]
    if kept:
        raise ValueError(
            f"--tune: {len(kept)} trials are of other code, the first of {kept[0].task} · {kept[0].row}, and trials of "
            "two codes are not compared; --rerun runs these again"
        )


def _take(run: Run, rows: Sequence[tuple[Cell, float]], score: Score, rounds: int) -> None:
    run.cells = [one for cell, rate in rows for one in trial_cells(cell, rate, score, rounds)]
    run.missing = [cell for cell in run.cells if run.wanted(cell)]


def _score(run: Run, cell: Cell) -> float | None:
    """How good a trial was that this run knows."""
    record = run.records.get(cell.identity)
    return None if record is None else trial(record).goodness
