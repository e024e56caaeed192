"""Points to files: scaling.md, scaling.csv, exponents.csv and figures/. Imports no torch."""

from __future__ import annotations

import csv
import io
import math
import tomllib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from setbench.bench.report import markdown
from setbench.bench.report.document import Block, Bullets, Code, Grid, Heading, Picture, TableCell, Text
from setbench.bench.report.flat_csv import harmless
from setbench.bench.report.numbers import NOTHING, number
from setbench.bench.scaling.fit import Fit, fit
from setbench.bench.scaling.plan import BATCHES, MEMORY_MB, SIZES, STEP_SECONDS, Series
from setbench.bench.scaling.points import Point, Points, Timed
from setbench.files import write_atomically
from setbench.models.catalogue import CATALOGUE, parse
from setbench.models.cost import cost_of
from setbench.models.entry import PARADIGMS
from setbench.options import UnknownName

NOTES = Path(__file__).with_name("notes.toml")
ABOVE = 0.2
"""An exponent that is above the catalogue's by more than this is mended or explained."""
PAGES = 4096
"""Fresh pages of a call, 16 MB on most machines, from which on they count."""
SHOWN = (64, 512, 4096)
"""Set sizes whose step has a column."""
QUANTITIES: dict[str, Callable[[Timed], float]] = {
    "step": lambda timed: timed.step_ms,
    "forward": lambda timed: timed.forward_ms,
    "memory": lambda timed: timed.memory_mb,
}


@dataclass(frozen=True)
class Curve:
    """A series with what was measured of it, in order of size."""

    series: Series
    points: Sequence[Point]
    ended: str

    def values(self, quantity: str) -> tuple[list[int], list[float]]:
        """Sizes, and the quantity at each."""
        take = QUANTITIES[quantity]
        known = [(point.size, take(point.timed)) for point in self.points if point.timed is not None]
        return [size for size, _ in known], [value for _, value in known]

    @cached_property
    def fits(self) -> dict[str, Fit | None]:
        """Of every quantity; the floor is its least value."""
        found = {}
        for quantity in QUANTITIES:
            sizes, values = self.values(quantity)
            found[quantity] = fit(sizes, values, min(values)) if values else None
        return found

    def theory(self, quantity: str) -> float | None:
        """The slope of the catalogue's cost over the sizes that the quantity's exponent was fitted on."""
        found = self.fits[quantity]
        return found.slope(self.series.log_cost) if found else None

    def above(self, quantity: str) -> bool:
        """Whether a time grows faster than the catalogue says."""
        found, theory = self.fits[quantity], self.theory(quantity)
        return quantity != "memory" and found is not None and theory is not None and found.exponent > theory + ABOVE

    def fresh_memory(self, quantity: str) -> str:
        """Where a time grows as the system begins to give fresh pages to every call, which it fills with zeros first:
        that in words. From the first size fitted to the last they have grown twice as much as the cost, or more."""
        found = self.fits[quantity]
        pages = {point.size: getattr(point.timed, f"{quantity}_pages") for point in self.points if point.timed}
        first, last = (found.sizes[0], found.sizes[-1]) if found else (0, 0)
        now, then = self.series.log_cost(last) if last else None, self.series.log_cost(first) if first else None
        if now is None or then is None or pages[last] < max(PAGES, 2 * math.exp(now - then) * pages[first]):
            return ""
        return f"fresh memory, {pages[first]:,} pages a call at {first:,} and {pages[last]:,} at {last:,}"

    @property
    def cost(self) -> str:
        """The catalogue's, under these options."""
        return cost_of(self.series.model.entry.cost, self.series.model.options)


def write_report(points: Points, asked: Iterable[Series], command: str) -> list[Path]:
    """Write what is known of every encoder in the folder, and say which files there are now."""
    from setbench.bench.report.figures.style import save
    from setbench.bench.scaling.figure import growth_figure

    curves, unknown = curves_of(points, asked)
    paradigms = [name for name in PARADIGMS if any(one.series.model.entry.paradigm == name for one in curves)]
    pictures = {}
    for paradigm in paradigms:
        family = [one for one in curves if one.series.model.entry.paradigm == paradigm]
        figure = growth_figure(family, paradigm)
        if figure is not None:
            name = "".join(char if char.isalnum() else "_" for char in paradigm).strip("_")
            pictures[f"figures/{name}.png"] = paradigm
            save(figure, points.folder / f"figures/{name}.png")
    blocks = report_blocks(curves, unknown, points, pictures, command)
    texts = {
        "scaling.md": markdown.render(blocks),
        "scaling.csv": points_csv(curves),
        "exponents.csv": exponents_csv(curves),
    }
    for name, text in texts.items():
        write_atomically(points.folder / name, text)
    return [points.folder / name for name in (*texts, *pictures)]


def curves_of(points: Points, asked: Iterable[Series]) -> tuple[list[Curve], list[str]]:
    """The curve of every encoder that was asked for or measured, in the catalogue's order; and the measured names that
    the catalogue no longer has."""
    series = list(asked)
    unknown = []
    for name in dict.fromkeys(point.encoder for point in points.found.values()):
        try:
            series += [Series(parse(name, ("encoder",)), batch) for batch in BATCHES]
        except UnknownName:
            unknown.append(name)
    order = list(CATALOGUE)
    single = {(one.model.name, one.batch): one for one in series}.values()
    return [
        _curve(one, points) for one in sorted(single, key=lambda one: (order.index(one.model.entry.name), one.batch))
    ], unknown


def _curve(series: Series, points: Points) -> Curve:
    found = [point for key in series.keys(SIZES) if (point := points.found.get(key))]
    size, why = series.next(points.found, SIZES)
    return Curve(series, found, f"not measured from {size:,} on" if size is not None else why)


def report_blocks(
    curves: Sequence[Curve], unknown: Sequence[str], points: Points, pictures: Mapping[str, str], command: str
) -> list[Block]:
    """The page."""
    setup = points.setup
    blocks: list[Block] = [
        Heading("What it costs as sets grow", 1),
        Text(
            f"Encoders on full sets of random elements: {setup.features} features, width {setup.width}, a code of "
            f"{setup.latent}. A training step is forward, backward and Adam on the mean square of the codes; memory is "
            "the peak of what a process of its own adds. docs/scaling.md says how it is measured, and how to read it."
        ),
        Code([command]),
        Bullets(_identity(curves, points, unknown)),
    ]
    for path, paradigm in pictures.items():
        blocks += [Heading(paradigm, 2), Picture(path, f"time and memory against set size: {paradigm}")]
    for batch in reversed(BATCHES):
        some = [one for one in curves if one.series.batch == batch and one.points]
        if some:
            sets = "1 set" if batch == 1 else f"{batch} sets"
            blocks += [Heading(f"Batches of {sets}", 2), _table(some)]
    return [*blocks, Heading("Above the catalogue's cost", 2), *_above(curves)]


def _identity(curves: Sequence[Curve], points: Points, unknown: Sequence[str]) -> list[str]:
    """What the numbers belong to: machine, versions, code; and how far to trust them."""
    setup = points.setup
    known = [point for one in curves for point in one.points]
    timed = [point.timed for point in known if point.timed is not None]
    gpus = sorted({one.gpu for one in timed if one.gpu})
    commits = dict.fromkeys(f"{point.commit or 'none'}{' with changes' * point.dirty}" for point in known)
    stale = sorted({point.encoder for one in curves for point in one.points if point.code != one.series.code})
    codes = len({(point.encoder, point.code) for point in known})
    lines = [
        f"{setup.cpu}, {setup.cores} cores, {setup.memory_gb} GB, {setup.platform}; "
        f"on {', '.join(gpus) or setup.device}",
        f"{setup.threads} thread{'s' * (setup.threads != 1)} a process, one process at a time; torch {setup.torch}",
        f"commit {', '.join(commits) or 'none'}; {codes} hashes of code, one an encoder, stand in scaling.csv",
        f"an encoder's sizes end where a step is over {STEP_SECONDS:g} s or the peak over {MEMORY_MB:,.0f} MB",
    ]
    if timed:
        low, middle, high = np.quantile([one.reference_ms for one in timed], [0.1, 0.5, 0.9])
        lines.append(
            f"a product of two 512 x 512 matrices, timed beside each point, took {number(middle)} ms; a tenth of the "
            f"points had less than {number(low)} ms, a tenth more than {number(high)} ms (far apart: a busy machine)"
        )
    if stale:
        lines.append(f"measured by other code than there is now (--rerun measures again): {', '.join(stale)}")
    if unknown:
        lines.append(f"measured, but no longer in the catalogue, and left out: {', '.join(unknown)}")
    return lines


def _table(curves: Sequence[Curve]) -> Grid:
    exponents = ["step N^", "forward N^", "memory N^"]
    steps = [f"step at {size:,} (ms)" for size in SHOWN]
    columns = ["encoder", "cost", "cost's slope", *exponents, *steps, "largest", "its MB", "ended by"]
    rows = []
    for one in curves:
        sizes, memory = one.values("memory")
        at = dict(zip(*one.values("step"), strict=True))
        slope = one.theory("step") or one.theory("forward")
        rows.append(
            [
                TableCell(one.series.model.name),
                TableCell(one.cost),
                TableCell(NOTHING if slope is None else f"{slope:.2f}"),
                *(TableCell(_exponent(one.fits[name]), strong=one.above(name)) for name in QUANTITIES),
                *(TableCell(number(at.get(size))) for size in SHOWN),
                TableCell(f"{sizes[-1]:,}" if sizes else NOTHING),
                TableCell(number(memory[-1]) if memory else NOTHING),
                TableCell(one.ended or "all sizes done"),
            ]
        )
    return Grid(columns, rows, frozenset(columns[2:-1]))


def _exponent(found: Fit | None) -> str:
    return NOTHING if found is None else f"{found.exponent:.2f} ± {found.error:.2f}"


def _above(curves: Sequence[Curve]) -> list[Block]:
    """Every time whose exponent is above the catalogue's, with the note that explains it."""
    notes = tomllib.loads(NOTES.read_text(encoding="utf-8"))
    items = []
    for one in curves:
        for quantity in QUANTITIES:
            found = one.fits[quantity]
            if found is not None and one.above(quantity):
                model = one.series.model
                note = notes.get(model.name) or notes.get(model.entry.name)
                why = "; ".join(filter(None, (note, one.fresh_memory(quantity))))
                sizes = f"{found.sizes[0]:,} to {found.sizes[-1]:,}"
                items.append(
                    f"{one.series}, {quantity}: {found.exponent:.2f} ± {found.error:.2f} over {sizes}, where "
                    f"{one.cost} has {one.theory(quantity):.2f}: {why or 'not explained yet'}"
                )
    if not items:
        return [Text(f"No time grows faster than the catalogue's cost by more than {ABOVE} in the exponent.")]
    return [Text(f"By more than {ABOVE} in the exponent (bold above):"), Bullets(items)]


def points_csv(curves: Sequence[Curve]) -> str:
    """One line a point."""
    first = ("encoder", "paradigm", "batch", "size", "status", "reason")
    timed = tuple(name for name in Timed.model_fields)
    last = ("seconds", "code", "commit", "dirty", "finished")
    rows = []
    for one in curves:
        for point in one.points:
            told = point.model_dump(mode="json") | {"paradigm": one.series.model.entry.paradigm}
            inner = told["timed"] or {}
            rows.append(
                [*(told[name] for name in first), *(inner.get(name) for name in timed), *(told[name] for name in last)]
            )
    return _csv([*first, *timed, *last], rows)


def exponents_csv(curves: Sequence[Curve]) -> str:
    """One line a series and quantity that has an exponent."""
    columns = ["encoder", "batch", "quantity", "exponent", "error", "from", "to", "cost", "cost's slope", "above"]
    rows = []
    for one in curves:
        for quantity, found in one.fits.items():
            if found is not None:
                fitted = [found.exponent, found.error, found.sizes[0], found.sizes[-1]]
                last = [one.cost, one.theory(quantity), one.above(quantity)]
                rows.append([one.series.model.name, one.series.batch, quantity, *fitted, *last])
    return _csv(columns, rows)


def _csv(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([harmless(value) if isinstance(value, str) else value for value in row] for row in rows)
    return text.getvalue()
