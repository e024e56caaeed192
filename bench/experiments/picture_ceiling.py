"""What a decoder makes of a picture's code, beside what it makes of the true set's own, for each frozen encoder."""

from __future__ import annotations

from dataclasses import asdict
from itertools import combinations
from pathlib import Path
from typing import Any

import pandas as pd
from matplotlib.figure import Figure
from scipy.stats import kendalltau
from torch import Tensor

from setbench.bench.cell.evaluate import headline_variant, predict_one
from setbench.bench.cell.frozen_task import FrozenTask
from setbench.bench.experiments.command import main
from setbench.bench.experiments.intervals import apart, interval, text
from setbench.bench.experiments.look import dots, legend_below, panels
from setbench.bench.experiments.study import Fit, Report, Run, Setting, Study, few
from setbench.bench.experiments.training import CPU, cell, fit_cell
from setbench.bench.plan.presets import load
from setbench.models.entry import FROZEN
from setbench.models.interfaces import Predictor
from setbench.tasks.interfaces import Progress, Task

TASK = "clevr_state"
DECODERS = ("mlp", "lstm", "dspn:steps=5", "idspn", "slots", "queries")
ENCODER = "fspool"
"""That of the decoders that need one."""
SEEN = ("pictures", "true sets")
BUDGET = load("desk").settings(TASK, "")[0]
SAME = ("batch", "latent", "width", "clip", "schedule")
"""What is taken over from desk beside its steps."""
METRICS = ("ap_inf", "ap_1", "ap_0.5")
AIM = 0.7
"""The share of the ceiling that pictures should reach."""


class TrueSets(FrozenTask):
    """The frozen encoder's phi summed over the true objects, in the place of those that it sees in the picture."""

    def _codes(self, name: str, progress: Progress) -> Tensor:
        targets = self.inner.split(name).targets
        return self.encoder.code_of_sets(targets.elements, targets.mask.float())

    def _path(self, name: str) -> Path:
        path = super()._path(name)
        return path.with_name(f"true-{path.name}")


def settings(scale: float) -> list[Setting]:
    return [
        {"code": code, "seen": seen, "decoder": decoder}
        for code in few(tuple(FROZEN), scale)
        for seen in SEEN
        for decoder in few(DECODERS, scale)
    ]


def fit(setting: Setting, run: Run) -> Fit:
    same = {name: value for name, value in asdict(BUDGET).items() if name in SAME}
    of = cell(TASK, ENCODER, run, [setting["decoder"]], image_encoder=setting["code"], **same)

    def change(task: Task) -> Task:
        assert isinstance(task, FrozenTask)
        return TrueSets(task.inner, setting["code"]) if setting["seen"] == "true sets" else task

    return fit_cell(of, measured, change)


def measured(task: Task, predictor: Predictor) -> list[dict[str, Any]]:
    split = task.split("test")
    name, _ = headline_variant(predictor)
    found = task.evaluate(predict_one(predictor, CPU, "float32", name, split), split)
    return [{metric: found[metric] for metric in METRICS}]


def report(rows: pd.DataFrame) -> Report:
    table, findings = [], []
    for (code, decoder), part in rows.groupby(["code", "decoder"], sort=False):
        for seen, one in part.groupby("seen", sort=False):
            table.append(
                {"code": code, "decoder": decoder, "made of": seen}
                | {metric: text(one[metric]) for metric in METRICS}
                | {"rate": f"{one['rate'].iloc[0]:g}"}
            )
        pictures, true = (part[part["seen"] == seen][METRICS[0]] for seen in SEEN)
        if true.mean() > 0:
            share = pictures.mean() / true.mean()
            findings.append(
                f"{code}, {decoder}: pictures give {text(pictures)}, true sets {text(true)}: {share:.0%} of the "
                f"ceiling, {'no less' if share >= AIM else 'less'} than the {AIM:.0%} aimed at."
            )
    findings += orders(rows[rows["seen"] == SEEN[0]])
    return Report(
        [("Average precision (%) on the test scenes; rates chosen on the validation split:", pd.DataFrame(table))],
        findings,
        draw(rows),
        "ap_inf of every decoder from the codes of pictures and of true sets",
    )


def orders(rows: pd.DataFrame) -> list[str]:
    """Whether the decoders stand in one order under both codes, and of which pairs that can be told."""
    codes = list(rows["code"].unique())
    if len(codes) < 2:
        return []
    means = rows.groupby(["code", "decoder"], sort=False)[METRICS[0]].mean()
    first, second = (means[code] for code in codes)
    tau = kendalltau(first, second[first.index]).statistic
    turned = []
    for one, other in combinations(first.index, 2):
        signs = [told(rows[rows["code"] == code], one, other) for code in codes]
        if signs[0] * signs[1] < 0:
            turned.append(f"{one} and {other}")
    said = f"turned round beyond its intervals: {'; '.join(turned)}" if turned else "no pair is turned round beyond its"
    said += "." if turned else " intervals."
    return [f"The order of the decoders under {codes[0]} and under {codes[1]}: Kendall's tau {tau:.2f}; {said}"]


def told(rows: pd.DataFrame, one: str, other: str) -> int:
    """1 if the first decoder is ahead by more than the 95 % interval of their difference, -1 behind, else 0."""
    left, right = (rows[rows["decoder"] == name].sort_values("seed") for name in (one, other))
    if list(left["seed"]) != list(right["seed"]):
        return 0
    mean, half = apart(left[METRICS[0]], right[METRICS[0]])
    return int(mean > half) - int(mean < -half)


def draw(rows: pd.DataFrame) -> Figure:
    codes = list(rows["code"].unique())
    figure, axes = panels(codes, "From a picture's code, and from the true set's own", 4.6, 4.0)
    for code, ax in axes.items():
        for place, (seen, part) in enumerate(rows[rows["code"] == code].groupby("seen", sort=False)):
            points = [(str(name), *interval(one[METRICS[0]])) for name, one in part.groupby("decoder", sort=False)]
            dots(ax, points, place, f"code of {seen}", 0.15 * place)
        ax.set_xlabel("ap_inf, % (more is better)")
        ax.set_xlim(left=0)
    legend_below(figure)
    return figure


STUDY = Study(
    name="picture_ceiling",
    title="Pictures: how far from what their code could give",
    question="A decoder of frozen features can be held back by what the code says of a picture, or by what it makes of "
    "a code. How well does each decoder do when the code is made of the true set? And does the order of the decoders "
    "depend on what the code was supervised with?",
    method=[
        "clevr_state, 8,000 rendered scenes. The code of a picture is a sum of phi over the objects that the encoder "
        "sees; the ceiling is the same phi summed over the true objects. Codes are standardised alike.",
        "Two codes: phi was supervised by questions about true sets (frozen), or by a map of the floor (frozen_map). "
        "No head of either is a decoder of this table.",
        f"Every decoder has {BUDGET.steps} steps of {BUDGET.batch} scenes, latent {BUDGET.latent}, width "
        f"{BUDGET.width}, as in desk; DSPN and iDSPN with {ENCODER}.",
    ],
    limits=[
        "A ceiling of this phi and this budget: another code, or more steps, has another.",
        "Both codes share the network that reads pictures.",
    ],
    settings=settings,
    fit=fit,
    report=report,
    steps=BUDGET.steps,
)

if __name__ == "__main__":
    main(STUDY)
