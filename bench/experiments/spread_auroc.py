"""Does pi-SGD's spread over permutations rank its errors? (Murphy et al. 2019 propose it as an uncertainty.)

AUROC of the spread against "this prediction is wrong": 50 % is no better than chance, 100 % has every wrong prediction
above every right one. Where there is a softmax its own doubt, 1 - max probability, stands beside it.
"""

from __future__ import annotations

from typing import Any

import pandas as pd
import torch
from matplotlib.figure import Figure
from sklearn.metrics import roc_auc_score
from torch import Tensor

from setbench.bench.experiments.command import main
from setbench.bench.experiments.intervals import interval, text
from setbench.bench.experiments.look import LEVEL, dots, legend_below, panels
from setbench.bench.experiments.study import Fit, Report, Run, Setting, Study
from setbench.bench.experiments.training import budget_text, cell, fit_cell
from setbench.models.interfaces import Predictor
from setbench.models.predictors import Readout
from setbench.tasks.arithmetic import Arithmetic
from setbench.tasks.interfaces import Task

MODEL, DRAWS = "pi_sgd:phi=gru", 20
TASKS = ("set_digits_classes", "arithmetic_range", "arithmetic_unique_sum")
SPREAD, VOTES = "spread over 20 orders", "votes of 20 orders for another answer"
SOFTMAX, SINGLE = "1 − max probability, mean of 20", "1 − max probability, one order"
DOUBTS = (SPREAD, VOTES, SOFTMAX, SINGLE)
CHANCE = 50.0


def settings(scale: float) -> list[Setting]:
    return [{"task": task} for task in TASKS]


def fit(setting: Setting, run: Run) -> Fit:
    def measure(task: Task, predictor: Predictor) -> list[dict[str, Any]]:
        assert isinstance(predictor, Readout)
        return [measured(task, predictor, run.seed)]

    return fit_cell(cell(setting["task"], MODEL, run), measure)


def auroc(doubt: Tensor, wrong: Tensor) -> float:
    """In %, of ranking the wrong ones first. NaN where all are right or all are wrong."""
    if wrong.all() or not wrong.any():
        return float("nan")
    return 100 * float(roc_auc_score(wrong.numpy(), doubt.numpy()))


def answers(task: Task, prediction: Tensor) -> Tensor:
    """The class, or the integer after rounding; axes in front of the prediction's own are kept."""
    return task.answer(prediction).round() if isinstance(task, Arithmetic) else prediction.argmax(dim=-1)


def measured(task: Task, predictor: Readout, seed: int) -> dict[str, Any]:
    """The share of wrong answers of the mean prediction, and the AUROC of each doubt, in %."""
    split = task.split("test")
    whole = split.batch(torch.arange(len(split)))
    inputs, right = whole.inputs, whole.targets
    torch.manual_seed(seed)
    with torch.no_grad():
        mean, drawn = predictor(inputs, DRAWS), predictor.drawn(inputs, DRAWS)
        spread = predictor.spread(inputs, DRAWS)
    answer = answers(task, mean)
    wrong = answer != right
    doubts = {SPREAD: spread, VOTES: (answers(task, drawn) != answer).double().mean(dim=0)}
    if predictor.classes is not None:
        doubts |= {SOFTMAX: 1 - mean.exp().amax(dim=1), SINGLE: 1 - drawn[0].exp().amax(dim=1)}
    return {"wrong": 100 * wrong.double().mean().item()} | {name: auroc(doubt, wrong) for name, doubt in doubts.items()}


def verdict(values: pd.Series) -> str:
    """An AUROC beside chance, by its interval over seeds."""
    mean, half = interval(values)
    if mean - half > CHANCE:
        return "above chance"
    if mean + half < CHANCE:
        return "below chance: the larger the doubt, the likelier the answer is right"
    return "not told from chance"


def report(rows: pd.DataFrame) -> Report:
    table, findings = [], []
    for task, part in rows.groupby("task", sort=False):
        there = [doubt for doubt in DOUBTS if doubt in part and part[doubt].notna().any()]
        table.append(
            {"task": task, "wrong, %": text(part["wrong"])}
            | {doubt: text(part[doubt]) if doubt in there else "–" for doubt in DOUBTS}
        )
        findings += [
            f"{task}: the AUROC of {doubt} is {text(part[doubt])} %, {verdict(part[doubt])}." for doubt in there
        ]
    return Report(
        [("AUROC in %, mean over seeds:", pd.DataFrame(table))],
        findings,
        draw(rows),
        "AUROC of the spread, of votes and of the softmax's own doubt on each task, beside chance",
    )


def draw(rows: pd.DataFrame) -> Figure:
    figure, axes = panels(list(rows["task"].unique()), "Does pi-SGD know when it is wrong?", 4.4, 3.2)
    for task, ax in axes.items():
        part = rows[rows["task"] == task]
        dots(ax, [(doubt, *interval(part.get(doubt, pd.Series(dtype=float)))) for doubt in DOUBTS])
        ax.axvline(CHANCE, **LEVEL, label="chance")
        ax.set_xlim(0, 101)
        ax.set_xlabel("AUROC against a wrong prediction, %")
    legend_below(figure)
    return figure


STUDY = Study(
    name="spread_auroc",
    title="Does pi-SGD's spread over permutations rank its errors?",
    question="A prediction that moves with the order of a set may be one to doubt. The AUROC says how well a doubt "
    "ranks wrong predictions above right ones: 50 % is chance, 100 % is perfect.",
    method=[
        f"pi_sgd (a GRU), {DRAWS} random orders: the spread is the standard deviation over orders of the predicted "
        "number, or of the probability of the class that the mean prediction chooses; votes are the share of orders "
        "with another answer than the mean prediction's, with draws of their own. Right and wrong are those of the "
        "mean prediction (a number after rounding).",
        budget_text(),
    ],
    limits=[
        "An AUROC depends on how many answers are wrong: a model trained farther may have another.",
        "Test sets of the digits come from 297 pictures: they are not independent, and the intervals are over seeds "
        "alone.",
        "It ranks within one task; whether a spread is calibrated, and whether it knows sets of another kind, is not "
        "asked.",
    ],
    settings=settings,
    fit=fit,
    report=report,
    steps=2000,
)

if __name__ == "__main__":
    main(STUDY)
