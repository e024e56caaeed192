"""How large a latent does Deep Sets need for the median of N reals? After Wagstaff et al. 2019 (and JMLR 2022).

Their theorem: a continuous sum-decomposition of every continuous invariant function on sets of N reals needs a latent
of M >= N numbers; with M = N - 1 some function is approximated no better than by a constant. The median is one function
under one training budget: the theorem says nothing of it, the experiment does.

The catalogue's ``deep_sets`` pools ``width`` numbers, not ``latent``; here phi itself ends in M numbers.
"""

from __future__ import annotations

import pandas as pd
import seaborn as sns
import torch
from jaxtyping import Float
from matplotlib.figure import Figure
from torch import Tensor, nn

from setbench.bench.experiments.command import Arguments, read_arguments
from setbench.bench.experiments.page import Page, publish
from setbench.bench.report.figures.style import new_figure, plot_style
from setbench.models.ops.layers import mlp

NAME = "median_latent"
SIZES = (3, 5, 9, 15)
LATENTS = (1, 2, 3, 5, 9, 15, 30)
WIDTH, BATCH, RATE, TEST = 64, 128, 5e-3, 10_000
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


def draw_sets(size: int, count: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Sets of numbers uniform in (-1, 1), and their medians (of an odd number of them)."""
    numbers = 2 * torch.rand(count, size, generator=generator) - 1
    return numbers, numbers.median(dim=1).values


def rmse(size: int, latent: int, seed: int, steps: int) -> float:
    """Train on fresh sets at every step; the error on sets that were never seen, the same for every model."""
    torch.manual_seed(seed)
    model = SumDecomposition(latent)
    optimizer = torch.optim.Adam(model.parameters(), lr=RATE)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    generator = torch.Generator().manual_seed(seed)
    unit = constant_error(size)
    for _ in range(steps):
        numbers, median = draw_sets(size, BATCH, generator)
        optimizer.zero_grad()
        (model(numbers) - median / unit).square().mean().backward()
        optimizer.step()
        schedule.step()
    numbers, median = test_sets(size)
    with torch.no_grad():
        return (unit * model(numbers) - median).square().mean().sqrt().item()


def test_sets(size: int) -> tuple[Tensor, Tensor]:
    return draw_sets(size, TEST, torch.Generator().manual_seed(2**31))


def constant_error(size: int) -> float:
    """The error of the best constant on the test sets: the standard deviation of the median."""
    return test_sets(size)[1].std(correction=0).item()


def smallest_near_best(errors: pd.Series) -> int:
    """The smallest M whose error is within 10 % of the best; ``errors`` is indexed by M."""
    return int(errors[errors <= NEAR * errors.min()].index.min())


def draw(runs: pd.DataFrame, near: dict[int, int]) -> Figure:
    """RMSE against M, a line for each N; rings at M = N, triangles at the smallest M near the best."""
    palette = dict(zip(SIZES, sns.color_palette("colorblind"), strict=False))
    means = runs.groupby(["N", "M"])["rmse"].mean()
    with plot_style():
        figure = new_figure(7.6, 4.8)
        axes = figure.subplots()
        for size in SIZES:
            line, colour = means[size], palette[size]
            points = runs[runs["N"] == size]
            axes.scatter(points["M"], points["rmse"], s=10, color=colour, alpha=0.4, lw=0)
            axes.plot(line.index, line, color=colour, lw=1.6, label=f"N = {size}")
            axes.plot(size, line[size], "o", ms=11, mfc="none", mec=colour, mew=1.6)
            axes.plot(near[size], line[near[size]], "v", ms=8, color=colour)
            axes.axhline(constant_error(size), color=colour, lw=1, ls=":")
        axes.plot([], [], "o", ms=10, mfc="none", mec="#444444", mew=1.6, label="M = N")
        axes.plot([], [], "v", ms=8, color="#444444", ls="", label="smallest M within\n10 % of the best")
        axes.plot([], [], color="#444444", lw=1, ls=":", label="best constant")
        axes.set_xscale("log")
        axes.set_yscale("log")
        axes.set_xticks(LATENTS, [str(latent) for latent in LATENTS])
        axes.set_xticks([], minor=True)
        ticks = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5)
        axes.set_yticks(ticks, [f"{tick:g}" for tick in ticks])
        axes.set_yticks([], minor=True)
        axes.set_xlabel("M, numbers in the latent (log scale)")
        axes.set_ylabel("RMSE of the median, in units of the numbers (log scale)")
        axes.set_title("Deep Sets on the median of N numbers in (−1, 1)")
        figure.legend(loc="outside right center")
    return figure


def page(arguments: Arguments, runs: pd.DataFrame, near: dict[int, int]) -> Page:
    means = runs.pivot_table(index="N", columns="M", values="rmse")
    table = pd.DataFrame(
        {
            "N": means.index,
            "best constant": [f"{constant_error(size):.4f}" for size in means.index],
            **{f"M={latent}": [f"{value:.4f}" for value in means[latent]] for latent in means},
            "smallest M within 10 %": [near[size] for size in means.index],
        }
    )
    findings = []
    for size in SIZES:
        at, best = means.loc[size, size], means.loc[size].min()
        findings.append(
            f"N = {size}: best RMSE {best:.4f} at M = {means.loc[size].idxmin()}; at M = N {at:.4f} "
            f"({at / best:.2f} times the best); the smallest M within 10 % of the best is {near[size]}; "
            f"M = 1 has {means.loc[size, 1]:.4f}, the best constant {constant_error(size):.4f}."
        )
    return Page(
        "Deep Sets on the median: error against the latent's size",
        "A continuous sum-decomposition that can represent every continuous function on sets of N reals needs a "
        "latent of at least N numbers (Wagstaff et al. 2019). What does the latent's size M mean for one such "
        "function, the median, under one training budget?",
        [
            f"rho(sum of phi(x)) with phi from 1 to M numbers; phi and rho have two hidden layers of {WIDTH}; trained "
            f"with the squared error by Adam for {arguments.steps} steps of {BATCH} fresh sets, learning rate {RATE:g} "
            f"falling to 0 (cosine), one for all, the "
            f"better of 0.002 and 0.005 for a few of them; float32.",
            f"Numbers are uniform in (−1, 1), N is odd; the error is on {TEST:,} sets that are the same for all.",
        ],
        [(f"RMSE of the median, mean of {arguments.seeds} seeds:", table)],
        findings,
        "RMSE of the median against the latent's size M on log axes, one line for each N, with M = N ringed",
    )


def main(words: list[str] | None = None) -> None:
    arguments = read_arguments(NAME, "Deep Sets on the median of N reals, by the latent's size", 2000, 3, words)
    rows = [
        {"N": size, "M": latent, "seed": seed, "rmse": rmse(size, latent, seed, arguments.steps)}
        for size in SIZES
        for latent in LATENTS
        for seed in range(arguments.seeds)
    ]
    runs = pd.DataFrame(rows)
    means = runs.groupby(["N", "M"])["rmse"].mean()
    near = {size: smallest_near_best(means[size]) for size in SIZES}
    publish(arguments, page(arguments, runs, near), runs, draw(runs, near))


if __name__ == "__main__":
    main()
