"""What every experiment is: a grid of settings times seeds, a line each; rates chosen on validation splits.

A study that was interrupted goes on: a line that is there, of the same code, is not made again.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
import torch
from matplotlib.figure import Figure

from setbench.bench.cell.evaluate import spread_out
from setbench.bench.cell.train import Diverged
from setbench.bench.records.machine import commit, machine, same_code
from setbench.files import write_atomically

Setting = dict[str, Any]
"""One point of a study's grid: names to numbers and words that JSON can hold."""

RATES = (3e-4, 1e-3, 3e-3, 1e-2, 3e-2)
"""Learning rates that are tried for every setting; one more beyond an end that is best."""
SHARE = 3
"""A trial has one in so many of the steps."""
TRIAL_SEED = 1000
"""Of the trials; no run that is reported has it."""
FEW_STEPS = (4, 12)
"""Of the two runs that an estimate is made of."""
TRIED = 20
"""Settings that an estimate tries."""


class Run(NamedTuple):
    """What a study's ``fit`` is told beside the setting. ``scale`` multiplies the sizes of its data (``scaled``)."""

    seed: int
    rate: float
    steps: int
    scale: float = 1.0


class Fit(NamedTuple):
    """A trained model: its loss on the validation split (less is better; rates are chosen by it), and what gives the
    measures on the test split, a row for each thing that was varied at test time."""

    validation: float
    measure: Callable[[], list[dict[str, Any]]]


@dataclass(frozen=True)
class Report:
    """What a page says of the measures: tables as (caption, cells of text), findings, a figure and what it shows."""

    tables: Sequence[tuple[str, pd.DataFrame]]
    findings: Sequence[str]
    figure: Figure
    shows: str


@dataclass(frozen=True)
class Study:
    """An experiment.

    Args:
        name: of its module, and of its folder of results.
        title: of its page.
        question: what is asked.
        method: how it is done, a sentence or two an item.
        limits: what it does not show.
        settings: the grid, for a scale; below ``SMALL`` its corners will do (see ``few``).
        fit: trains one setting; may raise ``Diverged``.
        report: from one row a measure: the setting's columns, seed, rate, validation, seconds and what was measured.
        steps: optimiser steps of a run.
        rates: to choose among; none where nothing is trained.
        seeds: how many; 0, 1, ….
    """

    name: str
    title: str
    question: str
    method: Sequence[str]
    limits: Sequence[str]
    settings: Callable[[float], Sequence[Setting]]
    fit: Callable[[Setting, Run], Fit]
    report: Callable[[pd.DataFrame], Report]
    steps: int
    rates: Sequence[float] = RATES
    seeds: int = 5


SMALL = 0.1
"""Scales below this are for trying whether all works."""


def few(values: Sequence[Any], scale: float) -> list[Any]:
    """An axis of a grid: all its values, or at a small scale the first and the last."""
    return list(values) if scale >= SMALL else list(dict.fromkeys([values[0], values[-1]]))


def scaled(count: int, scale: float, least: int = 32) -> int:
    """A number of examples or steps at a scale."""
    return max(min(count, least), round(count * scale))


@dataclass(frozen=True)
class Line:
    """One run, as its line of the file holds it. ``found`` is empty for a trial and for a run that diverged;
    ``seconds`` are those of the training and of the measuring."""

    setting: Setting
    seed: int
    rate: float
    steps: int
    scale: float
    validation: float
    seconds: float
    commit: str
    unclean: bool
    machine: str
    found: list[dict[str, Any]] = field(default_factory=list)

    @property
    def key(self) -> str:
        return key(self.setting, Run(self.seed, self.rate, self.steps, self.scale))


def key(setting: Setting, run: Run) -> str:
    """By which a line is found again."""
    return json.dumps([setting, *run], sort_keys=True)


class Lines:
    """The lines of a study: those that are on file and of this code, and those to come, each written as it is made.

    Lines of other code, or of a tree with changes that no commit has, are left out, and go when the next is written. A
    last line that was cut off is left out too.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.kept: dict[str, Line] = {}
        text = path.read_text(encoding="utf-8") if path.exists() else ""
        for row in text.splitlines():
            try:
                line = Line(**json.loads(row))
            except (ValueError, TypeError):
                continue
            if self.of_this_code(line):
                self.kept[line.key] = line

    @staticmethod
    def of_this_code(line: Line) -> bool:
        head, unclean = commit()
        if line.unclean or unclean:
            return (line.commit, line.unclean) == (head, unclean)
        return same_code(line.commit, head)

    def add(self, line: Line) -> None:
        self.kept[line.key] = line
        write_atomically(self.path, "".join(f"{json.dumps(vars(one))}\n" for one in self.kept.values()))


def carry_out(study: Study, lines: Lines, seeds: int, scale: float, say: Callable[[str], None] = print) -> None:
    """Make the lines that are missing: for each setting its trials, then its seeds at the rate that was best."""
    torch.set_num_threads(1)
    settings = study.settings(scale)
    steps = scaled(study.steps, scale, 2)
    for number, setting in enumerate(settings, 1):
        rate = chosen_rate(study, setting, lines, scale)
        for seed in range(seeds):
            made(study, setting, Run(seed, rate, steps, scale), lines, trial=False)
        say(f"{study.name}: {number} of {len(settings)}: {setting}, rate {rate:g}")


def chosen_rate(study: Study, setting: Setting, lines: Lines, scale: float) -> float:
    """The rate of the least validation loss under the seed of the trials, widened once where it lies on an edge."""
    if not study.rates:
        return 0.0
    steps = scaled(study.steps // SHARE, scale, 2)

    def loss(rate: float) -> float:
        return made(study, setting, Run(TRIAL_SEED, rate, steps, scale), lines, trial=True).validation

    losses = {rate: loss(rate) for rate in sorted(study.rates)}
    best = min(losses, key=lambda rate: losses[rate])
    low, high = min(losses), max(losses)
    if low < high and best in (low, high):
        beyond = float(f"{best / 3 if best == low else best * 3:.1g}")
        losses[beyond] = loss(beyond)
    return min(losses, key=lambda rate: losses[rate])


def made(study: Study, setting: Setting, run: Run, lines: Lines, trial: bool) -> Line:
    """The line of a run, made if it is not there. A loss that is no finite number counts as infinite."""
    there = lines.kept.get(key(setting, run))
    if there is not None:
        return there
    start = time.perf_counter()
    found: list[dict[str, Any]] = []
    try:
        validation, measure = study.fit(setting, run)
        if math.isfinite(validation) and not trial:
            found = measure()
    except Diverged:
        validation = math.inf
    validation = validation if math.isfinite(validation) else math.inf
    head, unclean = commit()
    seconds = round(time.perf_counter() - start, 3)
    cpu = machine().cpu
    line = Line(setting, run.seed, run.rate, run.steps, run.scale, validation, seconds, head, unclean, cpu, found)
    lines.add(line)
    return line


def reported(study: Study, lines: Lines, seeds: int, scale: float) -> list[Line]:
    """The lines of the reported runs, in the order of the grid."""
    steps = scaled(study.steps, scale, 2)
    found = []
    for setting in study.settings(scale):
        rate = chosen_rate(study, setting, lines, scale)
        found += [lines.kept[key(setting, Run(seed, rate, steps, scale))] for seed in range(seeds)]
    return found


def measures(lines: Sequence[Line]) -> pd.DataFrame:
    """One row a measure."""
    return pd.DataFrame(
        [
            {**line.setting, "seed": line.seed, "rate": line.rate, "validation": line.validation, **found}
            for line in lines
            for found in line.found
        ]
    )


def minutes(study: Study, lines: Lines, seeds: int, scale: float) -> float:
    """An estimate of the minutes that are left, from two runs of ``FEW_STEPS`` steps each of at most ``TRIED`` settings
    from all over the grid.

    What is measured after training is timed too, on the model as those steps leave it. Seconds are the processor's: on
    a busy machine it takes longer.
    """
    torch.set_num_threads(1)
    todo = [one for one in work(study, lines, seeds, scale) if one.runs or one.trials]
    if not todo:
        return 0.0
    tried = [todo[int(place)] for place in spread_out(TRIED, len(todo))]
    return sum(seconds(study, one, scale) for one in tried) * len(todo) / len(tried) / 60


class Left(NamedTuple):
    """How many runs and trials of a setting are missing."""

    setting: Setting
    runs: int
    trials: int


def seconds(study: Study, left: Left, scale: float) -> float:
    """An estimate for all that is left of a setting."""
    clock = time.process_time
    taken = []
    for steps in FEW_STEPS:
        start = clock()
        fit = study.fit(left.setting, Run(TRIAL_SEED, min(study.rates, default=0.0), steps, scale))
        taken.append(clock() - start)
    start = clock()
    fit.measure()
    measuring = clock() - start
    a_step = max(0.0, taken[1] - taken[0]) / (FEW_STEPS[1] - FEW_STEPS[0]) if study.rates else 0.0
    once = max(0.0, taken[0] - FEW_STEPS[0] * a_step)
    runs, trials = scaled(study.steps, scale, 2), scaled(study.steps // SHARE, scale, 2)
    return left.runs * (once + runs * a_step + measuring) + left.trials * (once + trials * a_step)


def work(study: Study, lines: Lines, seeds: int, scale: float) -> list[Left]:
    """What is missing of each setting. A rate beyond an end is not foreseen."""
    steps, trial = scaled(study.steps, scale, 2), scaled(study.steps // SHARE, scale, 2)
    found = []
    for setting in study.settings(scale):
        there = [line for line in lines.kept.values() if line.setting == setting and line.scale == scale]
        runs = sum(line.seed < seeds and line.steps == steps for line in there)
        trials = sum(line.seed == TRIAL_SEED and line.steps == trial for line in there)
        found.append(Left(setting, max(0, seeds - runs), max(0, len(study.rates) - trials)))
    return found
