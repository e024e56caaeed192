"""Janossy pooling with k = 1, 2, … N at one depth, on sets of five: up to all 120 orders. Accuracy against cost."""

from __future__ import annotations

import math
import time
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from setbench.bench.cell.evaluate import best_constant, evaluate, headline_variant, predict_one
from setbench.bench.experiments.command import main
from setbench.bench.experiments.intervals import interval, text
from setbench.bench.experiments.look import LEVEL, legend_below, line, panels, ratio_ticks
from setbench.bench.experiments.study import Fit, Report, Run, Setting, Study, few
from setbench.bench.experiments.training import CPU, budget_text, cell, fit_cell
from setbench.models.interfaces import Predictor
from setbench.tasks.interfaces import Task

TASKS = ("arithmetic_sum", "arithmetic_range")
SIZE = 5
KS = (1, 2, 3, 4, 5)
RHOS = ("linear", "mlp")
REPEATS = 5


def settings(scale: float) -> list[Setting]:
    return [{"task": task, "rho": rho, "k": k} for task in TASKS for rho in RHOS for k in few(KS, scale)]


def tuples(k: int) -> int:
    """Ordered k-tuples of distinct elements of a set."""
    return math.perm(SIZE, k)


def fit(setting: Setting, run: Run) -> Fit:
    """The row's own rho, then a linear head."""

    def measure(task: Task, predictor: Predictor) -> list[dict[str, Any]]:
        test = task.split("test")
        name, _ = headline_variant(predictor)
        taken = []
        for _ in range(REPEATS):
            start = time.process_time()
            predict_one(predictor, CPU, "float32", name, test)
            taken.append(time.process_time() - start)
        floor = best_constant(task, task.split("train"), test)["accuracy"]
        found, _, _ = evaluate(predictor, task, test, CPU)
        return [{"accuracy": found[name]["accuracy"], "constant": floor, "microseconds": 1e6 * min(taken) / len(test)}]

    row = f"janossy:k={setting['k']},rho={setting['rho']}"
    return fit_cell(cell(setting["task"], row, run, head="linear"), measure)


def report(rows: pd.DataFrame) -> Report:
    table, findings = [], []
    for (task, rho, k), part in rows.groupby(["task", "rho", "k"], sort=False):
        table.append(
            {"task": task, "rho": rho, "k": k, "tuples": tuples(k), "accuracy, %": text(part["accuracy"])}
            | {"µs a set": text(part["microseconds"])}
        )
    for (task, rho), part in rows.groupby(["task", "rho"], sort=False):
        by_k = {k: one["accuracy"] for k, one in part.groupby("k")}
        means = {k: values.mean() for k, values in by_k.items()}
        best = max(means, key=lambda k: means[k])
        cost = part.groupby("k")["microseconds"].mean()
        low, high = min(means), max(means)
        findings.append(
            f"{task}, {rho} rho: the best mean accuracy has k = {best} ({text(by_k[best])} %); k = {low} has "
            f"{text(by_k[low])} % and k = {high}, {tuples(high)} tuples, {text(by_k[high])} %, at "
            f"{cost[high] / cost[low]:.1f} times the time of k = {low}."
        )
    return Report(
        [("Accuracy is exact answers after rounding; time is of predicting, without training:", pd.DataFrame(table))],
        findings,
        draw(rows),
        "accuracy against the time of a prediction for k = 1 to 5, with linear and MLP rho",
    )


def draw(rows: pd.DataFrame) -> Figure:
    figure, axes = panels(list(rows["task"].unique()), "Janossy pooling: accuracy against cost", 4.6, 4.0)
    for task, ax in axes.items():
        of = rows[rows["task"] == task]
        for place, (rho, part) in enumerate(of.groupby("rho", sort=False)):
            points = [(one["microseconds"].mean(), *interval(one["accuracy"])) for _, one in part.groupby("k")]
            line(ax, points, place, f"{rho} rho")
            for (x, y, _), k in zip(points, sorted(part["k"].unique()), strict=True):
                ax.annotate(f"k={k}", (x, y), (4, 6 - 16 * place), textcoords="offset points", fontsize=8)
        ax.axhline(of["constant"].iloc[0], **LEVEL, label="best constant")
        ax.set_xscale("log")
        ratio_ticks(ax.xaxis, (5, 10, 20, 50, 100, 200, 500))
        ax.set_xlabel("microseconds to predict one set, one core (log scale)")
    next(iter(axes.values())).set_ylabel("accuracy, %")
    legend_below(figure)
    return figure


STUDY = Study(
    name="janossy_k",
    title="Janossy pooling with k = 1 to N at one depth: accuracy against cost",
    question="A larger k can represent more and costs more: N!/(N−k)! tuples of N elements. On sets of five, where "
    "even all 120 orders are within reach, what does it buy?",
    method=[
        "Janossy pooling with phi of two hidden ReLU layers for every k, with a linear rho and with an MLP, behind "
        "them a linear head; sums and ranges of five integers of 0 to 99.",
        budget_text(),
        f"Time is the processor's for predicting the test split in batches of 128, the least of {REPEATS}.",
    ],
    limits=[
        "phi has as many layers for every k, but a larger k gives its first layer more weights.",
        "Sum and range are functions that small k can represent: labels that need large k are in interaction_order.",
        "What is far behind after these steps may only be slower to train.",
    ],
    settings=settings,
    fit=fit,
    report=report,
    steps=1500,
)

if __name__ == "__main__":
    main(STUDY)
