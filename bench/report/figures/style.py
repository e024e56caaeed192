"""One look for every figure: colours and shapes of the paradigms, safe for the colour-blind, and saving."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import matplotlib as mpl
import seaborn as sns
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from setbench.bench.report.document import one_line
from setbench.bench.report.drawn import MARK
from setbench.files import replacing
from setbench.models.entry import PARADIGMS

MARKERS = ("o", "s", "D", "^", "v", "P", "X", "*")  # shape doubles colour
COLOURS = (0, 1, 2, 3, 4, 5, 6, 9)  # places in the palette
DASHES = ("-", (0, (5, 1.5)), (0, (1, 1)), (0, (5, 1, 1, 1)))  # so do they, with the markers, where there are lines
INK, PALE = "#222222", "#8a8a8a"


@contextmanager
def plot_style() -> Iterator[None]:
    """Draw inside; the caller's matplotlib settings come back afterwards."""
    settings: Any = {
        "figure.dpi": 130,
        "font.size": 10,
        "axes.titlesize": 12,
        "axes.titleweight": "bold",
        "axes.titlelocation": "left",
        "axes.edgecolor": "#555555",
        "grid.color": "#e4e4e4",
        "legend.frameon": False,
    }
    with sns.axes_style("whitegrid"), mpl.rc_context(settings):
        yield


def new_figure(width: float, height: float) -> Figure:
    """A figure that no global state holds, so that nothing leaks over a long run."""
    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def colour(paradigm: str) -> tuple[float, float, float]:
    return sns.color_palette("colorblind")[COLOURS[_place(paradigm)]]


def marker(paradigm: str) -> str:
    return MARKERS[_place(paradigm)]


def size(paradigm: str, usual: float) -> float:
    """A marker's, so that a star looks as large as a square."""
    return 1.4 * usual if marker(paradigm) == "*" else usual


def dashes(paradigm: str) -> Any:
    return DASHES[_place(paradigm) % len(DASHES)]


def _place(paradigm: str) -> int:
    """Among the suite's; one that is none of them looks like the last."""
    return PARADIGMS.index(paradigm) if paradigm in PARADIGMS else len(PARADIGMS) - 1


def plain(text: str, length: int = 44) -> str:
    """A name as it is: on one line, no dollar sign taken for mathematics, cut where it is very long."""
    return one_line(text, length).replace("$", r"\$")


def wrapped(name: str, length: int) -> str:
    """A row's name in lines of at most so many letters, a line or more for each part of ``encoder + decoder``."""
    lines: list[str] = []
    for place, part in enumerate(one_line(name, 200).split(" + ")):
        line = "+ " * (place > 0)
        for piece in re.split(r"(?<=[ :,=_])", part):
            if len(line.rstrip()) + len(piece.rstrip()) > length and line.strip("+ "):
                lines.append(line)
                line = ""
            line += piece
        lines.append(line)
    return "\n".join(plain(line, length) for line in lines)


def save(figure: Figure, path: Path, source: str = "") -> None:
    """The whole file or nothing; it says from what ``source`` it was drawn."""
    with warnings.catch_warnings(), replacing(path) as file:
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")  # a name in another script
        figure.savefig(file, format="png", metadata={MARK: source})
