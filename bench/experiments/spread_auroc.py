"""Does pi-SGD's spread over permutations rank its errors? (Murphy et al. 2019 propose it as an uncertainty.)

AUROC of the spread against "this prediction is wrong": 50 % is no better than chance, 100 % has every wrong prediction
above every right one. Where there is a softmax its own doubt, 1 - max probability, stands beside it.
"""

from __future__ import annotations

from typing import Any

import pandas as pd
import seaborn as sns
import torch
from matplotlib.figure import Figure
from sklearn.metrics import roc_auc_score
from torch import Tensor

from setbench.bench.experiments.command import read_arguments
from setbench.bench.experiments.page import Page, publish
from setbench.bench.experiments.training import budget_text, cell, trained
from setbench.bench.report.figures.style import INK, new_figure, plot_style
from setbench.models.predictors import Readout
from setbench.tasks.arithmetic import Arithmetic
from setbench.tasks.interfaces import Task

NAME, MODEL, DRAWS = "spread_auroc", "pi_sgd:phi=gru", 20
RATE = 1e-2
"""Higher than the sweep's, at which an RNN on random orders is still mostly wrong after these steps."""
TASKS = ("set_digits_classes", "arithmetic_range")
SPREAD, VOTES = "spread over 20 orders", "votes of 20 orders for another answer"
SOFTMAX, SINGLE = "1 − max probability, mean of 20", "1 − max probability, one order"
DOUBTS = (SPREAD, VOTES, SOFTMAX, SINGLE)


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


def _mean_of(values: pd.Series) -> str:
    """Mean ± standard deviation over seeds; a dash where there is nothing."""
    if values.isna().all():
        return "—"
    return f"{values.mean():.1f}" + (f" ± {values.std():.1f}" if values.count() > 1 else "")


def draw(runs: pd.DataFrame) -> Figure:
    """A row for each doubt on each task, a dot a seed, a bar at the mean."""
    colours = dict(zip(DOUBTS, sns.color_palette("colorblind"), strict=False))
    rows = [(task, doubt) for task in TASKS for doubt in colours if runs[runs["task"] == task][doubt].notna().any()]
    with plot_style():
        figure = new_figure(7.6, 1.4 + 0.5 * len(rows))
        axes = figure.subplots()
        for place, (task, doubt) in enumerate(rows):
            values = runs[runs["task"] == task][doubt]
            axes.scatter(values, [place] * len(values), s=30, color=colours[doubt], alpha=0.75, lw=0, zorder=3)
            axes.plot(values.mean(), place, "|", ms=20, mew=2, color=colours[doubt])
        axes.axvline(50, color=INK, lw=1, ls=":")
        axes.annotate("chance", (50, len(rows) - 0.45), (4, 0), textcoords="offset points", va="center", fontsize=9)
        axes.set_yticks(range(len(rows)), [f"{task}\n{doubt}" for task, doubt in rows])
        axes.set_ylim(len(rows) - 0.3, -0.6)
        axes.set_xlim(30, 101)
        axes.grid(visible=False, axis="y")
        axes.set_xlabel("AUROC of the doubt against a wrong prediction, % (a dot a seed)")
        axes.set_title("Does pi-SGD know when it is wrong?")
    return figure


def main(words: list[str] | None = None) -> None:
    arguments = read_arguments(
        NAME, "Does pi-SGD's spread over permutations rank its errors?", steps=2000, seeds=5, words=words
    )
    rows = []
    for name in TASKS:
        for seed in range(arguments.seeds):
            task, predictor = trained(cell(name, MODEL, seed, steps=arguments.steps, learning_rate=RATE))
            assert isinstance(predictor, Readout)
            rows.append({"task": name, "seed": seed, **measured(task, predictor, seed)})
    runs = pd.DataFrame(rows)
    wanted = {"wrong predictions": "wrong"} | {doubt: doubt for doubt in DOUBTS}
    table = pd.DataFrame(
        [
            {"task": name} | {title: _mean_of(runs[runs["task"] == name][what]) for title, what in wanted.items()}
            for name in TASKS
        ]
    )
    findings = []
    for name in TASKS:
        found = runs[runs["task"] == name]
        said = [f"{doubt} {_mean_of(found[doubt])} %" for doubt in DOUBTS if found[doubt].notna().any()]
        findings.append(f"{name}, {_mean_of(found['wrong'])} % wrong: AUROC of {'; '.join(said)}.")
    page = Page(
        "Does pi-SGD's spread over permutations rank its errors?",
        "A prediction that moves with the order of a set may be one to doubt. The AUROC says how well a doubt ranks "
        "wrong predictions above right ones: 50 % is chance, 100 % is perfect.",
        [
            f"pi_sgd (a GRU), {DRAWS} random orders: the spread is the standard deviation over orders of the "
            "predicted number, or of the probability of the class that the mean prediction chooses; votes are the "
            "share of orders with another answer than the mean prediction's, with draws of their own. "
            "Right and wrong are those of the mean prediction (a number after "
            "rounding).",
            budget_text(arguments.steps, RATE),
        ],
        [("In %, mean ± standard deviation over seeds:", table)],
        findings,
        "AUROC of the spread and of the softmax's own doubt, a dot a seed",
    )
    publish(arguments, page, runs, draw(runs))


if __name__ == "__main__":
    main()
