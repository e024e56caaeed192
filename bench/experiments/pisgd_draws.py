"""pi-SGD's error falls as 1/sqrt(p) in the number p of random orders (Murphy et al. 2019, section 2.4).

On sets of five, so that the mean over all 120 orders, which is full Janossy pooling, is at hand to compare with.
"""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pandas as pd
import seaborn as sns
import torch
from matplotlib.figure import Figure
from torch import Tensor

from bench.experiments.command import asked
from bench.experiments.page import Page, publish
from bench.experiments.training import cell, fresh, told, trained
from bench.report.figures.style import INK, look, new_figure
from models.interfaces import SetSpec
from models.permuting.janossy import Janossy
from models.sampling.pi_sgd import PiSGD

NAME, TASK, MODEL = "pisgd_draws", "arithmetic_range", "pi_sgd"
DRAWS = [2**power for power in range(10)]
SETS = 64
KINDS = ("fresh weights", "trained weights")


def full_janossy(sampled: PiSGD, spec: SetSpec) -> Janossy:
    """Full Janossy pooling with the weights of a pi-SGD encoder (an LSTM and a linear map)."""
    width = sampled.output.in_features
    full = Janossy(spec, sampled.latent, width, k="N", phi="lstm", rho="linear")
    full.phi.network.load_state_dict({f"last_state.{k}": v for k, v in sampled.last_state.state_dict().items()})
    full.rho.load_state_dict(sampled.output.state_dict())
    return full.to(sampled.output.weight)


def mean_over_all_orders(sampled: PiSGD, elements: Tensor, mask: Tensor) -> Tensor:
    """The mean of pi-SGD's own code over every order of the slots.

    Its random order is frozen: a random order of every order is every order once more.
    """
    sampled.frozen_seed = 0
    # One set at a time, since a frozen draw belongs to a place in the batch: all orders must get the same one.
    codes = [[sampled(one[None, list(order)], mask[:1]) for order in permutations(range(len(one)))] for one in elements]
    sampled.frozen_seed = None
    return torch.stack([torch.stack(orders).mean(dim=0)[0] for orders in codes])


def errors(sampled: PiSGD, full: Tensor, elements: Tensor, mask: Tensor, seed: int) -> list[dict[str, float]]:
    """For each p, means over sets: the invariance error |f_p(px) - f_p(x)| / |f_p(x)| of two evaluations with draws of
    their own, and how far f_p is from the mean over all orders."""
    torch.manual_seed(seed)
    found = []
    for draws in DRAWS:
        sampled.samples = draws
        one, other = sampled(elements, mask), sampled(elements.flip(1), mask)
        moved = (other - one).norm(dim=1) / one.norm(dim=1)
        off = (one - full).norm(dim=1) / full.norm(dim=1)
        found.append({"draws": draws, "invariance error": moved.mean().item(), "from all orders": off.mean().item()})
    sampled.samples = 1
    return found


def slope(draws: pd.Series, error: pd.Series) -> float:
    """Of log error against log p: -0.5 is 1/sqrt(p)."""
    return float(np.polyfit(np.log(draws), np.log(error), 1)[0])


def draw(runs: pd.DataFrame, slopes: dict[str, float]) -> Figure:
    """Error against p, log-log, with 1/sqrt(p) through the first points."""
    palette = dict(zip(KINDS, sns.color_palette("colorblind"), strict=False))
    with look():
        figure = new_figure(7.2, 4.4)
        axes = figure.subplots()
        means = runs.groupby(["weights", "draws"])["invariance error"].mean()
        for kind, marker in zip(KINDS, "os", strict=True):
            label = f"{kind}, fitted slope {slopes[kind]:.3f}".replace("-", "−")
            points = runs[runs["weights"] == kind]
            axes.scatter(points["draws"], points["invariance error"], s=14, color=palette[kind], alpha=0.35, lw=0)
            axes.plot(means[kind], marker=marker, ms=5, ls="", color=palette[kind], label=label)
            line = means[kind].iloc[0] / np.sqrt(DRAWS)
            axes.plot(DRAWS, line, color=INK, lw=0.9, ls="--", zorder=1)
        axes.plot([], [], color=INK, lw=0.9, ls="--", label="1/√p (slope −0.5) from p = 1")
        axes.set_xscale("log", base=2)
        axes.set_yscale("log")
        axes.set_xticks(DRAWS, [str(draws) for draws in DRAWS])
        axes.set_xlabel("p, random orders averaged (log scale)")
        axes.set_ylabel("invariance error\n|f(πx) − f(x)| / |f(x)|, mean over sets (log scale)")
        axes.set_title("pi-SGD: four times the draws, half the error")
        axes.legend(loc="lower left")
    return figure


def main(words: list[str] | None = None) -> None:
    told_to = asked(NAME, __doc__, steps=1000, seeds=3, words=words)
    rows, gap = [], 0.0
    for seed in range(told_to.seeds):
        one = cell(TASK, MODEL, seed, steps=told_to.steps)
        for kind, make in zip(KINDS, (fresh, trained), strict=True):
            task, predictor = make(one)
            encoder = predictor.encoder
            assert isinstance(encoder, PiSGD)
            encoder.double()
            elements, mask = task.split("test").batch(torch.arange(SETS)).inputs
            elements = elements.double()
            with torch.no_grad():
                full = full_janossy(encoder, encoder.spec)(elements, mask)
                few = mean_over_all_orders(encoder, elements[:4], mask[:4])
                gap = max(gap, (few - full[:4]).abs().max().item())
                rows += [{"weights": kind, "seed": seed, **e} for e in errors(encoder, full, elements, mask, seed)]
    runs = pd.DataFrame(rows)
    slopes = {kind: slope(part["draws"], part["invariance error"]) for kind, part in runs.groupby("weights")}
    off = {kind: slope(part["draws"], part["from all orders"]) for kind, part in runs.groupby("weights")}
    table = pd.DataFrame(
        {
            "p": DRAWS,
            **{
                f"{what}, {kind}": [
                    f"{value:.4f}" for value in runs[runs["weights"] == kind].groupby("draws")[what].mean()
                ]
                for what in ("invariance error", "from all orders")
                for kind in KINDS
            },
        }
    )
    page = Page(
        "pi-SGD: the error falls as 1/√p",
        "pi-SGD reads a set in p random orders and averages. How fast does its code become invariant as p grows? "
        "Independent draws say 1/√p, a slope of −0.5 on log axes; and the mean over all N! orders should be full "
        "Janossy pooling with the same weights.",
        [
            f"pi_sgd (an LSTM) on the test sets of {TASK}, five integers each: {SETS} sets, two evaluations of each "
            "with p independent draws, the second on the set in another order; float64.",
            told(told_to.steps) + " Fresh weights are those before the first step.",
        ],
        [("Means over sets and seeds; both columns relative to the code's norm:", table)],
        [
            *(
                f"{kind.capitalize()}: the fitted slope of log invariance error against log p is {slopes[kind]:.3f}; "
                f"of the distance from the mean over all orders it is {off[kind]:.3f}."
                for kind in KINDS
            ),
            f"The mean of pi-SGD's code over all 120 orders is full Janossy pooling's code with the same weights: the "
            f"largest difference is {gap:.1e}.",
        ],
        "Invariance error against the number of draws on log axes, beside the line 1/√p",
    )
    publish(told_to, page, runs, draw(runs, slopes))


if __name__ == "__main__":
    main()
