"""How far a permutation of the set moves each encoder's code."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

from setbench.bench.report.figures.style import INK, PALE, new_figure, plain, plot_style
from setbench.bench.report.tables import Table

CLAIMS = ("exact", "approximate", "none")
WORDS = {
    "exact": "exactly invariant by construction",
    "approximate": "approximately invariant",
    "none": "not invariant: the controls, and what turned out so",
}
LEAST = 1e-18  # an error of zero is drawn here


@dataclass(frozen=True)
class Moved:
    """One encoder: its largest error of every task, in float32 and in float64."""

    encoder: str
    claim: str
    single: list[float]
    double: list[float]


def moved(tables: Sequence[Table]) -> list[Moved]:
    """Every encoder with a measured error, by claim, then by its worst error in float64."""
    found: dict[tuple[str, str], Moved] = {}
    for table in tables:
        for result in table.results:
            single, double = result.error, result.error64
            name, claim = result.encoder or result.label, result.claim if result.claim in CLAIMS else "none"
            one = Moved(name, claim, [], [])
            if single is not None and math.isfinite(single):
                one = found.setdefault((name, claim), one)
                one.single.append(single)
            if double is not None and math.isfinite(double):
                one = found.setdefault((name, claim), one)
                one.double.append(double)
    return sorted(found.values(), key=lambda one: (CLAIMS.index(one.claim), max(one.double or one.single), one.encoder))


def invariance_figure(tables: Sequence[Table]) -> Figure:
    """A row an encoder: filled for float64, hollow for float32; small dots are single tasks."""
    encoders = moved(tables)
    claims = [claim for claim in CLAIMS if any(one.claim == claim for one in encoders)]
    sizes = [sum(one.claim == claim for one in encoders) for claim in claims]
    palette = dict(zip(CLAIMS, (sns.color_palette("colorblind")[index] for index in (0, 1, 3)), strict=True))
    with plot_style():
        figure = new_figure(9, 2.2 + 0.27 * len(encoders) + 0.35 * len(claims))
        parts = figure.subplots(
            len(claims), 1, sharex=True, squeeze=False, gridspec_kw={"height_ratios": [size + 0.8 for size in sizes]}
        )[:, 0]
        for axes, claim in zip(parts, claims, strict=True):
            _block(axes, [one for one in encoders if one.claim == claim], palette[claim])
            axes.set_title(WORDS[claim], fontsize=10, color=palette[claim])
        _scale(parts[-1])
        parts[-1].set_xlabel("largest |f(px) − f(x)| / |f(x)| over random orders p, log scale; left is better")
        figure.suptitle(
            "Invariance error of the trained encoders (less is better)",
            x=0.01,
            ha="left",
            fontsize=12,
            fontweight="bold",
        )
        figure.legend(
            handles=_legend(), loc="outside lower left", ncols=4, fontsize=8.5, handletextpad=0.4, columnspacing=1.6
        )
    return figure


def _block(axes: Axes, encoders: list[Moved], shade: tuple[float, float, float]) -> None:
    for row, one in enumerate(encoders):
        single, double = [max(e, LEAST) for e in one.single], [max(e, LEAST) for e in one.double]
        if single and double:
            axes.plot([max(double), max(single)], [row, row], color=shade, alpha=0.3, linewidth=1.5, zorder=1)
        axes.scatter(
            single, [row] * len(single), s=9, facecolor="none", edgecolor=shade, alpha=0.5, linewidth=0.8, zorder=2
        )
        axes.scatter(double, [row] * len(double), s=9, color=shade, alpha=0.5, linewidth=0, zorder=2)
        if single:
            axes.scatter(
                max(single), row, s=48, marker="s", facecolor="white", edgecolor=shade, linewidth=1.6, zorder=3
            )
        if double:
            axes.scatter(max(double), row, s=52, marker="o", color=shade, edgecolor="white", linewidth=0.7, zorder=4)
    axes.set_yticks(range(len(encoders)), [plain(one.encoder, 60) for one in encoders], fontsize=9)
    axes.set_ylim(len(encoders) - 0.4, -0.6)
    axes.grid(axis="y", visible=False)
    for place in (1.2e-7, 2.2e-16):
        axes.axvline(place, color=PALE, linewidth=1, linestyle=":", zorder=0)


def _scale(axes: Axes) -> None:
    axes.set_xscale("log")
    axes.set_xlim(LEAST / 2, 20)
    axes.xaxis.set_major_locator(LogLocator(base=100, numticks=20))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(
        FuncFormatter(lambda x, _: "0" if x <= LEAST * 1.01 else f"1e{round(math.log10(x))}")
    )


def _legend() -> list[Line2D]:
    return [
        Line2D([], [], color=INK, marker="o", linewidth=0, markersize=7, label="float64 (worst task)"),
        Line2D(
            [],
            [],
            color=INK,
            marker="s",
            markerfacecolor="white",
            linewidth=0,
            markersize=6.5,
            label="float32 (worst task)",
        ),
        Line2D([], [], color=INK, marker="o", linewidth=0, markersize=3, alpha=0.6, label="each task"),
        Line2D([], [], color=PALE, linestyle=":", label="rounding: float64, float32"),
    ]
