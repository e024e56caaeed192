"""Which statistics need which k? Janossy pooling with linear and MLP rho on the arithmetic tasks (Murphy et al. 2019).

The variance is exactly a mean over pairs: var(x) = sum over i, j of (x_i - x_j)^2 / (2 n^2). So with a linear rho k = 2
can represent it and k = 1 cannot, since a mean of single elements knows nothing of how far two of them are apart. With
an MLP for rho k = 1 can as well: a mean of squares and a square of the mean are enough.
"""

from __future__ import annotations

import math
import tomllib
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from setbench.bench.cell.evaluate import best_constant, evaluate, headline_variant
from setbench.bench.experiments.command import main
from setbench.bench.experiments.intervals import apart, interval, text
from setbench.bench.experiments.look import LEVEL, dots, legend_below, panels
from setbench.bench.experiments.study import Fit, Report, Run, Setting, Study, few
from setbench.bench.experiments.training import CPU, budget_text, cell, fit_cell
from setbench.bench.report.published import FILE
from setbench.models.interfaces import Predictor
from setbench.tasks.arithmetic import Variance
from setbench.tasks.catalogue import find
from setbench.tasks.interfaces import Task

TASKS = (
    "arithmetic_variance",
    "arithmetic_range",
    "arithmetic_sum",
    "arithmetic_unique_sum",
    "arithmetic_unique_count",
)
RHOS = ("linear", "MLP")
MODELS = {
    "k=1, linear rho": "janossy:k=1,rho=linear",
    "k=2, linear rho": "janossy:k=2,rho=linear",
    "k=3, linear rho": "janossy:k=3,rho=linear",
    "k=1, MLP rho": "janossy:k=1",
    "k=2, MLP rho": "janossy:k=2",
    "GRU, pi-SGD, linear rho, mean of 20": "pi_sgd:phi=gru",
    "GRU, pi-SGD, MLP rho, mean of 20": "pi_sgd:phi=gru,rho=tanh",
}


def settings(scale: float) -> list[Setting]:
    return [{"task": task, "model": model} for task in few(TASKS, scale) for model in few(list(MODELS), scale)]


def fit(setting: Setting, run: Run) -> Fit:
    """A linear head, so that rho is what the row says."""

    def measure(task: Task, predictor: Predictor) -> list[dict[str, Any]]:
        found, _, _ = evaluate(predictor, task, task.split("test"), CPU)
        floor = best_constant(task, task.split("train"), task.split("test"))
        name = metric_of(setting["task"])
        return [{"score": found[headline_variant(predictor)[0]][name], "constant": floor[name]}]

    return fit_cell(cell(setting["task"], MODELS[setting["model"]], run, head="linear"), measure)


def least_of_singles(size: int = find("arithmetic_variance").max_size({}), most: int = Variance.most) -> float:
    """The least RMSE on the variance that any sum over single elements can have (k = 1, linear rho).

    What it cannot say is the part of the variance that belongs to pairs, -2 / n^2 times the sum over i < j of
    (x_i - mu)(x_j - mu): of standard deviation sigma^2 sqrt(2 (n - 1) / n^3), where mu and sigma^2 are those of one
    integer of 0 to ``most``.
    """
    sigma2 = ((most + 1) ** 2 - 1) / 12
    return sigma2 * math.sqrt(2 * (size - 1) / size**3)


def metric_of(task: str) -> str:
    return "rmse" if task == "arithmetic_variance" else "accuracy"


def theirs() -> dict[tuple[str, str], str]:
    """(task, system) -> the figure of the authors' rerun code, from the report's list of published figures."""
    tables = tomllib.loads(FILE.read_text(encoding="utf-8"))["table"]
    return {
        (table["tasks"][0], line["system"]): line["values"][0]
        for table in tables
        if table["tasks"][0] in TASKS
        for line in table["theirs"]
    }


def column(task: str) -> str:
    unit = "RMSE" if metric_of(task) == "rmse" else "accuracy in %"
    return f"{task.removeprefix('arithmetic_').replace('_', ' ')}, {unit}"


def table(rows: pd.DataFrame) -> pd.DataFrame:
    """A row a model: ours, and theirs in brackets; the best constant last."""
    published = theirs()
    found = []
    for label in MODELS:
        one = {"model": label}
        for task in TASKS:
            scores = rows[(rows["task"] == task) & (rows["model"] == label)]["score"]
            other = published.get((task, label))
            one[column(task)] = text(scores) + (f" ({other})" if other else "")
        found.append(one)
    constants = {column(task): text(rows[rows["task"] == task]["constant"].head(1)) for task in TASKS}
    return pd.DataFrame([*found, {"model": "best constant", **constants}])


def report(rows: pd.DataFrame) -> Report:
    variance = {label: part["score"] for label, part in rows[rows["task"] == TASKS[0]].groupby("model", sort=False)}
    findings = [f"No sum over single elements (k = 1, linear rho) can have an RMSE below {least_of_singles():.1f}."]
    for rho in RHOS:
        one, two = (variance.get(f"k={k}, {rho} rho") for k in (1, 2))
        if one is not None and two is not None and len(one) == len(two):
            mean, half = apart(one, two)
            findings.append(
                f"Variance, {rho} rho: RMSE {text(one)} with k = 1, {text(two)} with k = 2; the difference is "
                f"{mean:.1f} ± {half:.1f}{'' if abs(mean) > half else ', which is none that can be told'}."
            )
    return Report(
        [("Mean over seeds, ± half of the 95 % interval; the authors' rerun code in brackets:", table(rows))],
        findings,
        draw(rows),
        "scores of Janossy pooling with linear and MLP rho on the variance and the range, beside the best constant",
    )


def draw(rows: pd.DataFrame) -> Figure:
    """The variance (RMSE) and the range (accuracy), a row a model."""
    shown = [task for task in TASKS[:2] if (rows["task"] == task).any()]
    figure, axes = panels([column(task) for task in shown], "Which k does a statistic need?", 4.6)
    for task, (_, ax) in zip(shown, axes.items(), strict=True):
        part = rows[rows["task"] == task]
        dots(ax, [(label, *interval(part[part["model"] == label]["score"])) for label in MODELS])
        ax.axvline(part["constant"].iloc[0], **LEVEL, label="best constant")
        if task == "arithmetic_variance":
            ax.axvline(least_of_singles(), **{**LEVEL, "ls": "--"}, label="least of k = 1 with linear rho")
        ax.set_xlim(0)
    legend_below(figure)
    return figure


STUDY = Study(
    name="variance_pairs",
    title="Janossy pooling: which k does a statistic need?",
    question="The variance is exactly a mean over pairs, so with a linear rho k = 2 should be far ahead of k = 1; with "
    "an MLP for rho k = 1 can represent it too. The other four tasks stand beside it, in the layout of the Janossy "
    "paper's table.",
    method=[
        budget_text() + " The head is linear, so that rho is what its row says.",
        "phi has two hidden ReLU layers on the concatenated tuple, for every k; pi-SGD reads random orders with a GRU, "
        "and averages the predictions of 20; its MLP rho is one layer of tanh.",
    ],
    limits=[
        "The bound on sums over single elements is that of the squared error; trained with the mean absolute error, "
        "the paper's loss, a model may end above it.",
        "In brackets: the authors' released code, rerun for 15 to 60 epochs of 100,000 sets in batches of 128 (the "
        "paper: 1000 to 2000), one seed. NOT comparable: their integers enter by an embedding of 100, 50 or 33 "
        "numbers for k = 1, 2, 3 and ours by one of 100; they sum over sorted tuples and we average over ordered "
        "ones; and they saw many times the examples.",
        "What a k can represent is not what it learns in these steps: a model behind may be slower, not unable.",
    ],
    settings=settings,
    fit=fit,
    report=report,
    steps=1000,
)

if __name__ == "__main__":
    main(STUDY)
