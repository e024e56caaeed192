"""How large a latent does Deep Sets need for the median of N reals? After Wagstaff et al. 2019 (and JMLR 2022).

Their theorem: a continuous sum-decomposition of every continuous invariant function on sets of N reals needs a latent
of M >= N numbers; with M = N - 1 some function is approximated no better than by a constant. The median is one function
under one training budget: the theorem says nothing of it, the experiment does.

The catalogue's ``deep_sets`` pools ``width`` numbers, not ``latent``; here phi itself ends in M numbers.
"""

from __future__ import annotations

import math
from functools import partial

import pandas as pd
import torch
from jaxtyping import Float
from matplotlib.figure import Figure
from torch import Tensor, nn

from setbench.bench.experiments.command import main
from setbench.bench.experiments.intervals import interval, text
from setbench.bench.experiments.look import LEVEL, legend_below, line, panels, ratio_ticks
from setbench.bench.experiments.study import Fit, Report, Run, Setting, Study, few, scaled
from setbench.bench.experiments.training import TEST, VALIDATION, learn
from setbench.models.ops.layers import mlp

SIZES = (3, 7, 15)
INPUTS = ("uniform", "normal", "gamma")
WIDTH, BATCH, EXAMPLES = 64, 64, 10_000
NEAR = 1.1
"""Within 10 % of the best, as in the paper."""


class SumDecomposition(nn.Module):
    """rho(sum_i phi(x_i)) with phi: R -> R^M; phi and rho have two hidden layers."""

    def __init__(self, latent: int) -> None:
        super().__init__()
        self.phi = mlp(1, WIDTH, WIDTH, latent)
        self.rho = mlp(latent, WIDTH, WIDTH, 1)

    def forward(self, numbers: Float[Tensor, "batch size"]) -> Float[Tensor, " batch"]:
        return self.rho(self.phi(numbers[..., None]).sum(dim=1)).squeeze(1)


def draw_sets(inputs: str, size: int, count: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Sets of independent numbers, and their medians (of an odd number of them). "uniform" in (-1, 1), standard
    "normal", or "gamma" of shape 2 and scale 1, the sum of two exponential variables."""
    if inputs == "normal":
        numbers = torch.randn(count, size, generator=generator)
    else:
        drawn = torch.rand(2, count, size, generator=generator)
        numbers = 2 * drawn[0] - 1 if inputs == "uniform" else -(1 - drawn).log().sum(dim=0)
    return numbers, numbers.median(dim=1).values


def latents(size: int) -> dict[str, int]:
    """The M that are tried for an N, by how they are written."""
    half = math.ceil(size / 2)
    return {"1": 1, "N/2": half, "N−1": size - 1, "N": size, "N+1": size + 1, "2N": 2 * size, "4N": 4 * size}


def settings(scale: float) -> list[Setting]:
    return [
        {"inputs": inputs, "N": size, "M": latent}
        for inputs in few(INPUTS, scale)
        for size in few(SIZES, scale)
        for latent in few(sorted(set(latents(size).values())), scale)
    ]


def fit(setting: Setting, run: Run) -> Fit:
    """Train on fresh sets at every step; errors are root mean squares in units of the best constant's."""
    draw = partial(draw_sets, setting["inputs"], setting["N"])
    torch.manual_seed(run.seed)
    model = SumDecomposition(setting["M"])
    count = scaled(EXAMPLES, run.scale)
    _, medians = draw(count, torch.Generator().manual_seed(VALIDATION))
    centre, unit = medians.mean(), medians.std(correction=0)

    def loss(generator: torch.Generator) -> Tensor:
        numbers, median = draw(BATCH, generator)
        return (model(numbers) - (median - centre) / unit).square().mean()

    def error(seed: int) -> float:
        """The best constant is that of these very sets."""
        numbers, median = draw(count, torch.Generator().manual_seed(seed))
        with torch.no_grad():
            off = (centre + unit * model(numbers) - median).square().mean().sqrt()
        return float(off / median.std(correction=0))

    learn(model, loss, run)
    return Fit(error(VALIDATION), lambda: [{"error": error(TEST)}])


def smallest_near_best(errors: pd.Series) -> int:
    """The smallest M whose error is within 10 % of the best; ``errors`` is indexed by M."""
    return int(errors[errors <= NEAR * errors.min()].index.min())


def report(rows: pd.DataFrame) -> Report:
    table, findings = [], []
    for (inputs, size), part in rows.groupby(["inputs", "N"], sort=False):
        means = part.groupby("M")["error"].mean()
        near, least = smallest_near_best(means), int(means.idxmin())
        known = {label: part[part["M"] == latent]["error"] for label, latent in latents(size).items()}
        shown = {f"M = {label}": text(values) for label, values in known.items()}
        table.append({"inputs": inputs, "N": size, **shown, "smallest M within 10 %": near})
        edge = ", the largest that was tried, so that a larger one may be better" if least == max(means.index) else ""
        findings.append(
            f"{inputs}, N = {size}: the error is least at M = {least}{edge}; the smallest M within 10 % of it is "
            f"{near}, {near / size:.2g} N."
        )
    return Report(
        [("Error in units of the best constant's, mean over seeds:", pd.DataFrame(table))],
        findings,
        draw(rows),
        "error of the median against M / N on log axes, a panel for each distribution, a line for each N",
    )


def draw(rows: pd.DataFrame) -> Figure:
    figure, axes = panels(list(rows["inputs"].unique()), "How large a latent does the median need?")
    for inputs, ax in axes.items():
        for place, (size, part) in enumerate(rows[rows["inputs"] == inputs].groupby("N")):
            found = [(latent / size, *interval(one["error"])) for latent, one in part.groupby("M")]
            line(ax, found, place, f"N = {size}")
        ax.axhline(1, **LEVEL)
        ax.axvline(1, **LEVEL)
        ax.set_xscale("log", base=2)
        ax.set_yscale("log")
        ratio_ticks(ax.xaxis, (0.0625, 0.125, 0.25, 0.5, 1, 2, 4))
        ratio_ticks(ax.yaxis, (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1))
        ax.set_xlabel("M / N, numbers in the latent")
    next(iter(axes.values())).set_ylabel("RMSE / RMSE of the best constant")
    legend_below(figure)
    return figure


STUDY = Study(
    name="median_latent",
    title="Deep Sets on the median: error against the latent's size",
    question="A continuous sum-decomposition that can represent every continuous function on sets of N reals needs a "
    "latent of at least N numbers (Wagstaff et al. 2019). What does the latent's size M mean for one such function, "
    "the median, under one training budget, for three distributions of the numbers?",
    method=[
        f"rho(sum of phi(x)) with phi from 1 to M numbers; phi and rho have two hidden layers of {WIDTH}; trained with "
        f"the squared error on {BATCH} fresh sets a step; float32.",
        "Numbers are independent: uniform in (−1, 1), standard normal, or gamma (shape 2, scale 1); N is odd. "
        f"Validation and test are {EXAMPLES:,} sets each, the same for all.",
    ],
    limits=[
        "The theorem is about the worst continuous function and says nothing of the median; a bend at M = N would be "
        "no proof of it, nor is its absence a counterexample.",
        "Errors are those of one budget: where they fall with M, training may be easier, not the function "
        "representable at last.",
        "phi and rho keep their width, so a larger M also has more weights.",
    ],
    settings=settings,
    fit=fit,
    report=report,
    steps=1500,
)

if __name__ == "__main__":
    main(STUDY)
