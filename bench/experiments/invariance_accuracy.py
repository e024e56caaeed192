"""Invariance against accuracy for networks that see an order, as more random orders are averaged when they answer;
beside the same networks on sorted sets, which are invariant at once."""

from __future__ import annotations

from typing import Any

import pandas as pd
import torch
from jaxtyping import Float
from matplotlib.figure import Figure
from torch import Tensor

from setbench.bench.cell.evaluate import spread_out
from setbench.bench.experiments.command import main
from setbench.bench.experiments.intervals import interval, text
from setbench.bench.experiments.look import legend_below, line, panels, ratio_ticks
from setbench.bench.experiments.study import Fit, Report, Run, Setting, Study, few
from setbench.bench.experiments.training import budget_text, cell, fit_cell
from setbench.models.interfaces import Predictor
from setbench.models.predictors import Readout
from setbench.sets import SetBatch
from setbench.tasks.arithmetic import Arithmetic
from setbench.tasks.interfaces import Task, shuffle

TASKS = ("set_digits_classes", "arithmetic_range")
MODELS = {
    "pi-SGD, GRU": "pi_sgd:phi=gru",
    "Gumbel-Sinkhorn": "gumbel_sinkhorn",
    "permutation adversary, raw order": "permutation_adversary_raw",
    "LSTM, raw order": "raw_lstm",
    "MLP, raw order": "raw_mlp",
    "LSTM, sorted": "canonical_sort:net=lstm",
    "MLP, sorted": "canonical_sort:net=mlp",
}
DRAWS = (1, 2, 4, 8, 16, 32)
SETS = 500


def settings(scale: float) -> list[Setting]:
    return [{"task": task, "model": model} for task in TASKS for model in few(list(MODELS), scale)]


def fit(setting: Setting, run: Run) -> Fit:
    def measure(task: Task, predictor: Predictor) -> list[dict[str, Any]]:
        assert isinstance(predictor, Readout)
        return averaged(task, predictor, run.seed)

    return fit_cell(cell(setting["task"], MODELS[setting["model"]], run), measure)


def answers(predictor: Readout, sets: SetBatch, seed: int) -> Float[Tensor, "draws batch *classes"]:
    """Twice as many predictions (probabilities, or numbers) as the most that are averaged, each of the sets in a random
    order of its own and with draws of its own."""
    torch.manual_seed(seed)
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        drawn = [predictor.drawn(shuffle(*sets, generator), 1)[0] for _ in range(2 * max(DRAWS))]
    return torch.stack(drawn if predictor.classes is None else [one.exp() for one in drawn])


def averaged(task: Task, predictor: Readout, seed: int) -> list[dict[str, Any]]:
    """For each p the accuracy of the mean of p predictions, in %, and how far two such means are apart: the root mean
    square over sets, over that of the differences between different sets' means of all (0: invariant, 1: as far apart
    as different sets)."""
    split = task.split("test")
    split = split.batch(spread_out(SETS, len(split)))
    assert isinstance(split.inputs, SetBatch)
    drawn = answers(predictor, split.inputs, seed)
    spread = drawn.mean(dim=0).std(dim=0, correction=0).norm() * 2**0.5
    found = []
    for draws in DRAWS:
        one, other = drawn[:draws].mean(dim=0), drawn[draws : 2 * draws].mean(dim=0)
        apart = (one - other).square().flatten(1).sum(dim=1) if one.ndim > 1 else (one - other).square()
        answer = task.answer(one.double()).round() if isinstance(task, Arithmetic) else one.argmax(dim=1)
        right = 100 * (answer == split.targets).double().mean().item()
        found.append({"p": draws, "accuracy": right, "invariance error": (apart.mean().sqrt() / spread).item()})
    return found


def report(rows: pd.DataFrame) -> Report:
    table, findings = [], []
    for (task, model), part in rows.groupby(["task", "model"], sort=False):
        by_draws = dict(list(part.groupby("p")))
        first, last = by_draws[min(DRAWS)], by_draws[max(DRAWS)]
        table.append(
            {"task": task, "model": model}
            | {f"accuracy, p = {p}": text(by_draws[p]["accuracy"]) for p in (1, 4, 32)}
            | {f"error, p = {p}": text(by_draws[p]["invariance error"]) for p in (1, 4, 32)}
        )
        findings.append(
            f"{task}, {model}: from p = {min(DRAWS)} to {max(DRAWS)} the accuracy goes from {text(first['accuracy'])} "
            f"to {text(last['accuracy'])} %, the invariance error from {text(first['invariance error'])} to "
            f"{text(last['invariance error'])}."
        )
    return Report(
        [("Accuracy in %; invariance error as a share of the distance between different sets:", pd.DataFrame(table))],
        findings,
        draw(rows),
        "accuracy against invariance error as more orders are averaged, a line a model, p growing to the left",
    )


LEAST = 1e-3
"""Errors below are drawn there, on a logarithmic axis."""


def draw(rows: pd.DataFrame) -> Figure:
    figure, axes = panels(
        list(rows["task"].unique()), "Averaging over random orders: invariance and accuracy", 5.0, 4.4
    )
    for task, ax in axes.items():
        for place, (model, part) in enumerate(rows[rows["task"] == task].groupby("model", sort=False)):
            points = [
                (max(LEAST, one["invariance error"].mean()), *interval(one["accuracy"])) for _, one in part.groupby("p")
            ]
            line(ax, points[:1] if "sorted" in str(model) else points, place, str(model))
        ax.set_xscale("log")
        ratio_ticks(ax.xaxis, (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1))
        label = "invariance error (p = 1 at the right of each line, 32 at the left; 0.001: or less)"
        ax.set_xlabel(label, fontsize=8)
    next(iter(axes.values())).set_ylabel("accuracy, %")
    legend_below(figure)
    return figure


STUDY = Study(
    name="invariance_accuracy",
    title="Invariance against accuracy, as more random orders are averaged",
    question="A network that reads an order can be made less dependent on it by averaging its answers over p random "
    "orders. How fast does it become invariant, does it become more accurate, and would it have been better to sort "
    "the set once?",
    method=[
        "Every prediction is of the sets in a random order of their own, with draws of their own where the model "
        f"draws; p of them are averaged (probabilities, or numbers). {SETS} test sets.",
        "The invariance error is how far two such averages of the same set are apart, root mean square, over that of "
        "different sets: 0 is invariant, 1 is as far apart as two different sets.",
        "Sorted: the same kind of network behind a fixed sort (canonical_sort), which is what the raw one would see "
        "if the data came in a canonical order.",
        budget_text(),
    ],
    limits=[
        "The raw networks were trained on sets in random orders, as all rows are: trained on data that come sorted, "
        "and tested on such, they are the sorted rows.",
        "A sort by one coordinate suits these points and says nothing of elements without a natural order.",
        "Time grows with p, and is not shown.",
    ],
    settings=settings,
    fit=fit,
    report=report,
    steps=1000,
)

if __name__ == "__main__":
    main(STUDY)
