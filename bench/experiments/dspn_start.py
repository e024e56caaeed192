"""DSPN's own open questions (Zhang, Hare, Prügel-Bennett 2019): a start made from the code by an MLP, in place of one
learned for all; and a threshold of the inner loss below which a sample moves no more."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pandas as pd
import torch
from matplotlib.figure import Figure

from setbench.bench.cell.evaluate import spread_out
from setbench.bench.experiments.command import main
from setbench.bench.experiments.intervals import apart, interval, text
from setbench.bench.experiments.look import LEVEL, legend_below, line, panels
from setbench.bench.experiments.study import Fit, Report, Run, Setting, Study, few
from setbench.bench.experiments.training import budget_text, cell, fit_cell
from setbench.models.decoders.dspn import DSPN
from setbench.models.interfaces import Predictor
from setbench.models.predictors import SetDecoding
from setbench.sets import PredictedSets
from setbench.tasks.interfaces import Task

TASKS = ("rotated_square", "set_digits")
ENCODERS = ("fspool", "deep_sets")
STARTS = ("learned", "mlp")
SETS = 500
STEPS = 5
"""T in training."""
HALF = 0.5
BUDGETS = (0, 5, 10, 20, 30)
"""Steps at evaluation; 0 is the start itself."""
SHARES = (0.0, 0.1, 0.3, 0.5, 0.7, 0.9)
"""A threshold is a quantile of the test sets' own inner loss at their start: so many of them do not move at all."""


def settings(scale: float) -> list[Setting]:
    return [
        {"task": task, "encoder": encoder, "start": start}
        for task in few(TASKS, scale)
        for encoder in few(ENCODERS, scale)
        for start in STARTS
    ]


def fit(setting: Setting, run: Run) -> Fit:
    decoder = f"dspn:steps={STEPS},start={setting['start']}"
    return fit_cell(cell(setting["task"], setting["encoder"], run, [decoder]), measured)


def measured(task: Task, predictor: Predictor) -> list[dict[str, Any]]:
    """The error after each budget of steps; then, at the budget of training, with each threshold: the error, and the
    share of steps that were taken."""
    assert isinstance(predictor, SetDecoding)
    decoder = predictor.decoder
    assert isinstance(decoder, DSPN)
    split = task.split("test")
    split = split.batch(spread_out(SETS, len(split)))
    name = task.headline

    def error(sets: PredictedSets) -> float:
        return task.evaluate(sets, split)[name]

    with torch.no_grad():
        code = predictor.code(split.inputs)
        path = decoder(code, max(BUDGETS))
        found: list[dict[str, Any]] = [{"varied": "steps", "steps": t, "error": error(path[t])} for t in BUDGETS]
        first = inner_loss(decoder, path[0], code)
        for share in SHARES:
            decoder.stop = float(first.quantile(share)) if share else 0.0
            stopped = decoder(code, STEPS)
            moved = taken(stopped)
            found.append({"varied": "threshold", "share": share, "steps": moved, "error": error(stopped[-1])})
    decoder.stop = 0.0
    return found


def inner_loss(decoder: DSPN, sets: PredictedSets, code: torch.Tensor) -> torch.Tensor:
    """What is descended, as a mean over features, ``float[batch]``."""
    slots = torch.cat([sets.elements, sets.presence[..., None]], dim=-1)
    return decoder.distance(decoder.encode_slots(decoder.encoder, slots), code).mean(dim=1)


def taken(path: list[PredictedSets]) -> float:
    """Steps a sample in which it moved, mean over samples."""
    moves = [
        ((after.elements != before.elements).flatten(1).any(dim=1) | (after.presence != before.presence).any(dim=1))
        for before, after in pairwise(path)
    ]
    return torch.stack(moves).double().sum(dim=0).mean().item()


def report(rows: pd.DataFrame) -> Report:
    steps, stops = rows[rows["varied"] == "steps"], rows[rows["varied"] == "threshold"]
    names = ["task", "encoder", "start"]
    by_steps = [
        dict(zip(names, key, strict=True)) | {f"T = {t}": text(one["error"]) for t, one in part.groupby("steps")}
        for key, part in steps.groupby(names, sort=False)
    ]
    by_stop = [
        dict(zip(names, key, strict=True))
        | {f"{share:.0%}": f"{text(one['error'])} ({one['steps'].mean():.1f})" for share, one in part.groupby("share")}
        for key, part in stops.groupby(names, sort=False)
    ]
    findings = []
    for (task, encoder), part in steps[steps["steps"] == STEPS].groupby(["task", "encoder"], sort=False):
        one, other = (part[part["start"] == start].sort_values("seed") for start in STARTS)
        if list(one["seed"]) == list(other["seed"]):
            mean, half = apart(other["error"], one["error"])
            told = "which is none that can be told" if not abs(mean) > half else "less is better for the MLP"
            findings.append(
                f"{task}, {encoder}: a start by an MLP changes the error at T = {STEPS} by {mean:.3g} ± {half:.2g}, "
                f"{told}; the MLP's start alone has {text(group_error(steps, task, encoder, 'mlp', 0))}, the answer "
                f"from it {text(other['error'])}."
            )
    for key, part in stops.groupby(names, sort=False):
        none, half_of_them = (part[part["share"] == share].sort_values("seed") for share in (0.0, HALF))
        mean, half = apart(half_of_them["error"], none["error"])
        findings.append(
            f"{', '.join(map(str, key))} start: with a threshold that keeps half of the sets from moving at all the "
            f"error changes by {mean:.3g} ± {half:.2g}, and {half_of_them['steps'].mean():.1f} of {STEPS} steps are "
            "taken."
        )
    return Report(
        [
            ("Error by the number of inner steps (the headline of each task):", pd.DataFrame(by_steps)),
            (
                f"Error at T = {STEPS} (steps that were taken) where a threshold keeps this share of sets from moving "
                "at all:",
                pd.DataFrame(by_stop),
            ),
        ],
        findings,
        draw(steps),
        "error against inner steps for a learned start and one made by an MLP",
    )


def group_error(rows: pd.DataFrame, task: str, encoder: str, start: str, steps: int) -> pd.Series:
    at = (rows["task"] == task) & (rows["encoder"] == encoder) & (rows["start"] == start) & (rows["steps"] == steps)
    return rows[at]["error"]


def draw(steps: pd.DataFrame) -> Figure:
    tasks = list(steps["task"].unique())
    figure, axes = panels(tasks, "DSPN: where to start, and how long to go on", 4.6, 4.4, one_scale=False)
    for task, ax in axes.items():
        of = steps[steps["task"] == task]
        for place, ((encoder, start), part) in enumerate(of.groupby(["encoder", "start"], sort=False)):
            points = [(t, *interval(one["error"])) for t, one in part.groupby("steps")]
            line(ax, points, place, f"{encoder}, {start} start")
        ax.axvline(STEPS, **LEVEL)
        ax.set_xticks(BUDGETS)
        ax.set_yscale("log")
        ax.set_xlabel("inner steps at evaluation (dotted: in training)")
    next(iter(axes.values())).set_ylabel("error, in the units of each task")
    legend_below(figure)
    return figure


STUDY = Study(
    name="dspn_start",
    title="DSPN's open questions: where to start, and when to stop",
    question="The paper learns one start for all sets and takes a fixed number of steps, and leaves open whether a "
    "start made from the code, and a threshold below which a set moves no more, would be better. Are they?",
    method=[
        f"DSPN with T = {STEPS} steps in training, on the rotated square (error: mean distance of the corners, "
        "half-diagonals) and on set_digits, auto-encoding 24 points (OSPA, pixels). start=mlp has an MLP decoder make "
        "the start from the code.",
        "A threshold is set at evaluation, on trained weights: a quantile of the inner loss that the test sets have at "
        "their start, so that this share of them does not move at all; others stop when they fall below it.",
        budget_text(),
    ],
    limits=[
        "A start by an MLP also has more weights: what it gains may be theirs.",
        "Thresholds are tried on weights that were trained without one.",
        "Small sets, few steps and narrow networks: the paper's settings are another matter.",
    ],
    settings=settings,
    fit=fit,
    report=report,
    steps=800,
)

if __name__ == "__main__":
    main(STUDY)
