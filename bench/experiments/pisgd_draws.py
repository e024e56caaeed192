"""pi-SGD's error falls as 1/sqrt(p) in the number p of random orders (Murphy et al. 2019, section 2.4).

On sets of five, so that the mean over all 120 orders, which is full Janossy pooling, is at hand to compare with.
"""

from __future__ import annotations

from itertools import permutations
from typing import Any, Literal

import numpy as np
import pandas as pd
import torch
from matplotlib.figure import Figure
from torch import Tensor, nn

from setbench.bench.experiments.command import main
from setbench.bench.experiments.intervals import interval, text
from setbench.bench.experiments.look import legend_below, line, panels, ratio_ticks
from setbench.bench.experiments.study import Fit, Report, Run, Setting, Study, scaled
from setbench.bench.experiments.training import budget_text, cell, fit_cell
from setbench.bench.report.figures.style import INK
from setbench.models.interfaces import Predictor, SetSpec
from setbench.models.permuting.janossy import Janossy
from setbench.models.sampling.pi_sgd import PiSGD
from setbench.tasks.interfaces import Task

TASK = "arithmetic_range"
MODELS = ("pi_sgd:phi=lstm", "pi_sgd:phi=gru")
DRAWS = [2**power for power in range(9)]
SETS = 200


def settings(scale: float) -> list[Setting]:
    return [{"model": model} for model in MODELS]


def fit(setting: Setting, run: Run) -> Fit:
    def measure(task: Task, predictor: Predictor) -> list[dict[str, Any]]:
        encoder = predictor.encoder
        assert isinstance(encoder, PiSGD)
        encoder.double()
        elements, mask = task.split("test").batch(torch.arange(scaled(SETS, run.scale, 8))).inputs
        with torch.no_grad():
            return errors(encoder, elements.double(), mask, run.seed)

    return fit_cell(cell(TASK, setting["model"], run), measure)


def full_janossy(sampled: PiSGD, spec: SetSpec) -> Janossy:
    """Full Janossy pooling with the weights of a pi-SGD encoder (an RNN and a linear map)."""
    rnn = sampled.last_state.rnn
    kind: Literal["gru", "lstm"] = "gru" if isinstance(rnn, nn.GRU) else "lstm"
    full = Janossy(spec, sampled.latent, rnn.hidden_size, k="N", phi=kind, rho="linear")
    full.phi.network.load_state_dict({f"last_state.{k}": v for k, v in sampled.last_state.state_dict().items()})
    full.rho.load_state_dict(sampled.output.state_dict())
    return full.to(next(sampled.parameters()))


def over_all_orders(sampled: PiSGD, elements: Tensor) -> Tensor:
    """pi-SGD's code of each set in every order: ``float[sets, orders, latent]``, for sets without padding."""
    sets, size, _ = elements.shape
    orders = torch.tensor(list(permutations(range(size))))
    states = sampled.last_state(elements[:, orders].flatten(0, 1), torch.full((sets * len(orders),), size))
    return sampled.output(states).unflatten(0, (sets, -1))


def errors(sampled: PiSGD, elements: Tensor, mask: Tensor, seed: int) -> list[dict[str, float]]:
    """For each p, root mean squares over sets, relative to that of the norm of f, the mean code over all
    orders.

    "invariance error" is |f_p(px) - f_p(x)| for two evaluations with draws of their own; "expected" is what it should
    be, sqrt(2 / p) times the standard deviation over all orders; "from all orders" is |f_p(x) - f(x)|; "gap"
    how far f is from full Janossy pooling, at most.
    """
    torch.manual_seed(seed)
    codes = over_all_orders(sampled, elements)
    full = full_janossy(sampled, sampled.spec)(elements, mask)
    mean, variance = codes.mean(dim=1), codes.var(dim=1, correction=0).sum(dim=1)

    def relative(squares: Tensor) -> float:
        return (squares.mean() / mean.square().sum(dim=1).mean()).sqrt().item()

    found = []
    for draws in DRAWS:
        sampled.samples = draws
        one, other = sampled(elements, mask), sampled(elements.flip(1), mask)
        found.append(
            {
                "draws": draws,
                "invariance error": relative((other - one).square().sum(dim=1)),
                "expected": relative(2 * variance / draws),
                "from all orders": relative((one - mean).square().sum(dim=1)),
                "gap": (mean - full).abs().max().item(),
            }
        )
    sampled.samples = 1
    return found


def slope(draws: pd.Series, error: pd.Series) -> float:
    """Of log error against log p: -0.5 is 1/sqrt(p)."""
    return float(np.polyfit(np.log(draws), np.log(error), 1)[0])


def report(rows: pd.DataFrame) -> Report:
    findings, table = [], []
    for model, part in rows.groupby("model", sort=False):
        seeds = [one for _, one in part.groupby("seed")]
        found, off = (
            [slope(one["draws"], one[what]) for one in seeds] for what in ("invariance error", "from all orders")
        )
        findings.append(
            f"{model}: the fitted slope of log invariance error against log p is {text(found)}; of the distance from "
            f"the mean over all orders it is {text(off)}. Independent draws say −0.5."
        )
        table += [
            {"model": model, "p": draws, **{what: text(one[what]) for what in ("invariance error", "expected")}}
            for draws, one in part.groupby("draws")
        ]
    gap = rows["gap"].max()
    findings.append(
        "The mean of pi-SGD's code over all 120 orders is full Janossy pooling's code with the same weights: the "
        f"largest difference is {gap:.1e}."
    )
    return Report(
        [("Means over seeds:", pd.DataFrame(table))],
        findings,
        draw(rows),
        "invariance error against the number of draws on log axes, beside the lines that independent draws should give",
    )


def draw(rows: pd.DataFrame) -> Figure:
    """Error against p, log-log, beside what is expected of independent draws: 1/sqrt(p)."""
    figure, axes = panels(list(rows["model"].unique()), "pi-SGD: four times the draws, half the error")
    for model, ax in axes.items():
        part = rows[rows["model"] == model]
        line(ax, [(p, *interval(one["invariance error"])) for p, one in part.groupby("draws")], 0, "measured")
        expected = part.groupby("draws")["expected"].mean()
        ax.plot(expected, color=INK, lw=1, ls="--", label="spread over all 120 orders × √(2/p)")
        ax.set_xscale("log", base=2)
        ax.set_yscale("log")
        ratio_ticks(ax.xaxis, DRAWS[::2])
        ratio_ticks(ax.yaxis, (0.01, 0.02, 0.05, 0.1, 0.2, 0.5))
        ax.set_xlabel("p, random orders averaged")
    next(iter(axes.values())).set_ylabel("invariance error |f(πx) − f(x)| / |f|,\nroot mean squares over sets")
    legend_below(figure)
    return figure


STUDY = Study(
    name="pisgd_draws",
    title="pi-SGD: the error falls as 1/√p",
    question="pi-SGD reads a set in p random orders and averages. How fast does its code become invariant as p grows? "
    "Independent draws say 1/√p, a slope of −0.5 on log axes; and the mean over all N! orders should be full Janossy "
    "pooling with the same weights.",
    method=[
        f"pi_sgd with an LSTM and a GRU on the test sets of {TASK}, five integers each: {SETS} sets, two evaluations "
        "of each with p independent draws, the second on the set in another order; float64. Errors are root mean "
        "squares over sets, relative to that of the norm of the mean code over all 120 orders; independent draws "
        "should give the standard deviation over all orders times √(2/p).",
        budget_text(),
    ],
    limits=[
        "The slope is that of any mean of independent draws and says nothing of pi-SGD: what is its own is the height "
        "of the line.",
        "The error is that of the code. What it does to answers stands in invariance_accuracy, whether it tells which "
        "answers are wrong in spread_auroc.",
        "Five elements have 120 orders: of larger sets the height is not known from here.",
    ],
    settings=settings,
    fit=fit,
    report=report,
    steps=1000,
)

if __name__ == "__main__":
    main(STUDY)
