"""Which figures a report has, where they stand, and how each is drawn when it is its turn. Imports no matplotlib."""

from __future__ import annotations

import hashlib
import math
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from setbench.bench.report.document import Picture, one_line
from setbench.bench.report.drawn import of_all, of_gallery, of_table
from setbench.bench.report.learning import learning
from setbench.bench.report.numbers import Spread
from setbench.bench.report.predictions import gallery
from setbench.bench.report.sections import title
from setbench.bench.report.standing import Alike
from setbench.bench.report.tables import Table

if TYPE_CHECKING:
    from matplotlib.figure import Figure

RANKS, EVERYWHERE = -1, -2
"""Where figures of several tables stand: under the mean ranks, and behind all tables."""
READABLE_RANKS = 20  # encoders in a diagram that is not folded
NAME_LENGTH = 80  # of a figure's file, without its ending: a task may have any name


@dataclass(frozen=True)
class Planned:
    """A figure: where it stands (the number of its table, RANKS or EVERYWHERE), what it shows, how it is drawn, the
    hash of what it is drawn from, and whether it is ``folded`` away in the Markdown."""

    place: int
    picture: Picture
    draw: Callable[[], Figure]
    source: str
    folded: bool = False


def plan_figures(found: Sequence[Table], groups: Sequence[Alike], kept: Path | None) -> list[Planned]:
    """Which figures there are. Predictions are drawn from what lies in the folder ``kept``; None where they are not
    asked for."""
    figures: list[Planned] = []
    names = file_names(found)

    def add(place: int, name: str, alt: str, draw: Callable[[], Figure], source: str, *, folded: bool = False) -> None:
        figures.append(Planned(place, Picture(f"figures/{name}.png", one_line(alt, 300)), draw, source, folded))

    sources = [of_table(table) for table in found]
    for group in groups:
        if group.standing:
            name = joined("ranks", *(group.common if len(groups) > 1 else ()))
            alt = f"critical-difference diagram of mean ranks, {' · '.join(filter(None, group.common))}"
            members = {id(table) for table in group.tables}
            drawn = of_all(source for table, source in zip(found, sources, strict=True) if id(table) in members)
            many = len(group.standing.encoders) > READABLE_RANKS
            add(RANKS, name, alt, lazy("ranks:ranks_figure", group.standing), drawn, folded=many)
    for number, table in enumerate(found):
        name = names[number]
        source = sources[number]
        if any(_drawable(result.train) for result in table.models):
            alt = f"{table.headline} against training time, {title(table)}"
            add(number, f"{name}_time", alt, lazy("cost:time_figure", table), source)
        if any(measured.figures.get("angle") for result in table.models for measured in result.measured):
            add(number, name, f"error against angle, {title(table)}", lazy("angle:angle_figure", table), source)
        shown = gallery(table, kept) if kept else None
        if shown:
            alt = f"predictions beside the truth, {title(table)}"
            add(number, f"{name}_pictures", alt, lazy("gallery:pictures_figure", shown), of_gallery(shown, source))
        if shown and shown.iterative:
            alt = f"{shown.iterative[0].label} on its way to the answer, {title(table)}"
            drawn = of_gallery(shown, source)
            add(number, f"{name}_steps", alt, lazy("gallery:steps_figure", shown), drawn, folded=True)
        if any(_drawable(result.memory) for result in table.models):
            alt = f"{table.headline} against peak memory, {title(table)}"
            add(number, f"{name}_memory", alt, lazy("cost:memory_figure", table), source, folded=True)
        if learning(table):
            alt = f"learning curves, {title(table)}"
            add(number, f"{name}_curves", alt, lazy("curves:curves_figure", table), source, folded=True)
    if any(result.error is not None for table in found for result in table.results):
        add(
            EVERYWHERE,
            "invariance",
            "invariance error of every encoder",
            lazy("invariance:invariance_figure", found),
            of_all(sources),
        )
    return figures


def file_names(found: Sequence[Table]) -> list[str]:
    """What files of each table are called: after its task, and where others are on it after what tells them apart."""
    several = Counter(table.key.task for table in found)
    names: list[str] = []
    for table in found:
        key = table.key
        how = (f"{key.threads}threads", *key.computed[1:])
        distinguish = (key.preset, key.device, *how, key.data, key.checksum[:6])
        name = joined(key.task, *(distinguish if several[key.task] > 1 else ()))
        while name in names:  # two names that differ in what a file's name cannot hold
            name += "x"
        names.append(name)
    return names


def _drawable(cost: Spread | None) -> bool:
    """On a logarithmic scale."""
    return cost is not None and 0 < cost.centre < math.inf


def lazy(target: str, what: object) -> Callable[[], Figure]:
    """A call of ``module:function`` of the figures, which imports matplotlib and seaborn, for later."""
    module, _, name = target.partition(":")

    def draw() -> Figure:
        figure: Figure = getattr(import_module(f"setbench.bench.report.figures.{module}"), name)(what)
        return figure

    return draw


def joined(*parts: str) -> str:
    """A file's name of some words, without its ending."""
    words = (re.sub(r"[^A-Za-z0-9.]+", "_", text).strip("_.") for text in parts)
    name = "_".join(filter(None, words)) or "task"
    if len(name) <= NAME_LENGTH:
        return name
    return f"{name[: NAME_LENGTH - 9]}_{hashlib.sha256(name.encode()).hexdigest()[:8]}"
