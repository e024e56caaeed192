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

from setbench.bench.experiments.command import read_arguments
from setbench.bench.experiments.page import Page, publish
from setbench.bench.experiments.training import budget_text, cell, trained, untrained
from setbench.bench.report.figures.style import INK, new_figure, plot_style
from setbench.models.interfaces import SetSpec
from setbench.models.permuting.janossy import Janossy
from setbench.models.sampling.pi_sgd import PiSGD

NAME, TASK, MODEL = "pisgd_draws", "arithmetic_range", "pi_sgd"
DRAWS = [2**power for power in range(9)]
SETS = 200
KINDS = ("fresh weights", "trained weights")


def full_janossy(sampled: PiSGD, spec: SetSpec) -> Janossy:
    """Full Janossy pooling with the weights of a pi-SGD encoder (an LSTM and a linear map)."""
    full = Janossy(spec, sampled.latent, sampled.last_state.rnn.hidden_size, k="N", phi="lstm", rho="linear")
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
    be, sqrt(2 / p) times the standard deviation over all orders; "from all orders" is |f_p(x) - f(x)|.
    """
    torch.manual_seed(seed)
    codes = over_all_orders(sampled, elements)
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
            }
        )
    sampled.samples = 1
    return found


def slope(draws: pd.Series, error: pd.Series) -> float:
    """Of log error against log p: -0.5 is 1/sqrt(p)."""
    return float(np.polyfit(np.log(draws), np.log(error), 1)[0])


def draw(runs: pd.DataFrame, slopes: dict[str, float]) -> Figure:
    """Error against p, log-log, beside what is expected of independent draws: 1/sqrt(p)."""
    palette = dict(zip(KINDS, sns.color_palette("colorblind"), strict=False))
    with plot_style():
        figure = new_figure(7.2, 4.4)
        axes = figure.subplots()
        means = runs.groupby(["weights", "draws"])[["invariance error", "expected"]].mean()
        for kind, marker in zip(KINDS, "os", strict=True):
            label = f"{kind}, fitted slope {slopes[kind]:.3f}".replace("-", "−")
            points = runs[runs["weights"] == kind]
            axes.scatter(points["draws"], points["invariance error"], s=14, color=palette[kind], alpha=0.35, lw=0)
            mean = means.loc[kind]
            axes.plot(mean["invariance error"], marker=marker, ms=5, ls="", color=palette[kind], label=label)
            axes.plot(mean["expected"], color=palette[kind], lw=1, ls="--", zorder=1)
        axes.plot([], [], color=INK, lw=1, ls="--", label="expected: the spread over all 120 orders × √(2/p)")
        axes.set_xscale("log", base=2)
        axes.set_yscale("log")
        axes.set_xticks(DRAWS, [str(draws) for draws in DRAWS])
        ticks = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5)
        axes.set_yticks(ticks, [f"{tick:g}" for tick in ticks])
        axes.set_yticks([], minor=True)
        axes.set_xlabel("p, random orders averaged (log scale)")
        axes.set_ylabel("invariance error |f(πx) − f(x)| / |f|,\nroot mean squares over sets (log scale)")
        axes.set_title("pi-SGD: four times the draws, half the error")
        axes.legend(loc="lower left")
    return figure


def main(words: list[str] | None = None) -> None:
    arguments = read_arguments(NAME, __doc__, steps=1000, seeds=3, words=words)
    rows, gap = [], 0.0
    for seed in range(arguments.seeds):
        one = cell(TASK, MODEL, seed, steps=arguments.steps)
        for kind, make in zip(KINDS, (untrained, trained), strict=True):
            task, predictor = make(one)
            encoder = predictor.encoder
            assert isinstance(encoder, PiSGD)
            encoder.double()
            elements, mask = task.split("test").batch(torch.arange(SETS)).inputs
            elements = elements.double()
            with torch.no_grad():
                full = full_janossy(encoder, encoder.spec)(elements, mask)
                gap = max(gap, (over_all_orders(encoder, elements).mean(dim=1) - full).abs().max().item())
                rows += [{"weights": kind, "seed": seed, **e} for e in errors(encoder, elements, mask, seed)]
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
                for what in ("invariance error", "expected")
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
            "with p independent draws, the second on the set in another order; float64. Errors are root mean squares "
            "over sets, relative to that of the norm of the mean code over all 120 orders; independent draws should "
            "give the standard deviation over all orders times √(2/p).",
            budget_text(arguments.steps) + " Fresh weights are those before the first step.",
        ],
        [("Means over seeds:", table)],
        [
            *(
                f"{kind.capitalize()}: the fitted slope of log invariance error against log p is {slopes[kind]:.3f}; "
                f"of the distance from the mean over all orders it is {off[kind]:.3f}."
                for kind in KINDS
            ),
            f"The mean of pi-SGD's code over all 120 orders is full Janossy pooling's code with the same weights: the "
            f"largest difference is {gap:.1e}.",
        ],
        "Invariance error against the number of draws on log axes, beside the lines that independent draws should give",
    )
    publish(arguments, page, runs, draw(runs, slopes))


if __name__ == "__main__":
    main()
