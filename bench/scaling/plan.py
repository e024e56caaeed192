"""Which points are measured: sizes, batches, budgets, and what comes next of an encoder. Imports no torch."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from setbench.bench.plan.code import code_hash
from setbench.bench.scaling.points import Key, Point
from setbench.models.catalogue import ModelSpec
from setbench.models.cost import log_cost

SIZES = tuple(2**power for power in range(3, 13))
BATCHES = (1, 32)
"""One set, where an operation's launch is much of its time; and what small trainings take."""
FEATURES, PLACES, WIDTH, LATENT = 4, slice(0, 2), 64, 64
"""Of an element, those of them that are its place, and the hidden width and code of every encoder."""

STEP_SECONDS, MEMORY_MB = 2.0, 4096.0
"""A training step or a peak over this ends an encoder's series at this batch."""
POINT_SECONDS = 40.0
"""Of a point's process; one that takes longer hangs."""
CERTAIN = 1.5
"""A size is not begun if it is predicted to be over a budget by this factor: growth is not known to the per cent."""


@dataclass(frozen=True)
class Series:
    """One encoder at one batch, over the set sizes."""

    model: ModelSpec
    batch: int

    def __str__(self) -> str:
        return f"{self.model.name}, batch {self.batch}"

    def keys(self, sizes: Sequence[int]) -> list[Key]:
        return [(self.model.name, self.batch, size) for size in sizes]

    @cached_property
    def code(self) -> str:
        """The hash of the code that would make its numbers now."""
        return code_hash([self.model.entry.module, "setbench.bench.scaling.measure"], pictures=False)

    def log_cost(self, size: int) -> float | None:
        """The logarithm of what the catalogue says it costs; None where that is no number (a plugin's may be any)."""
        try:
            return log_cost(self.model.entry.cost, self.model.options, size)
        except (ValueError, KeyError):
            return None

    def next(self, found: Mapping[Key, Point], sizes: Sequence[int]) -> tuple[int | None, str]:
        """The size to measure next, or None and why there is none: a budget's end, a failure, or all are done ("")."""
        before: list[Point] = []
        for key in self.keys(sizes):
            point = found.get(key)
            if point is None:
                why = self._certain_end(before, key[2])
                return (None, why) if why else (key[2], "")
            if point.timed is None:
                return None, f"{point.status} at {key[2]:,}: {point.reason}"
            for value, limit, unit in _against_budgets(point):
                if value > limit:
                    return None, f"{value:,.3g} {unit} at {key[2]:,} are over the budget of {limit:,g} {unit}"
            before.append(point)
        return None, ""

    def _certain_end(self, before: Sequence[Point], size: int) -> str:
        """Why a size would be over a budget, if that is certain, by what was measured below it; "" otherwise.

        The slower of two growths is believed: the catalogue's, and that from the size before the last to the last.
        """
        if not before or before[-1].timed is None:
            return ""
        last = before[-1]
        now, then = self.log_cost(size), self.log_cost(last.size)
        theory = math.inf if now is None or then is None else now - then
        earlier = _against_budgets(before[-2]) if len(before) > 1 else None
        for place, (value, limit, unit) in enumerate(_against_budgets(last)):
            measured = (
                math.log(value / earlier[place][0]) if earlier and min(value, earlier[place][0]) > 0 else math.inf
            )
            growth = min(theory, measured)
            if growth < math.inf and value > 0 and math.log(value) + growth > math.log(CERTAIN * limit):
                return f"{size:,} would be over the budget of {limit:,g} {unit}, by the growth up to {last.size:,}"
        return ""


def _against_budgets(point: Point) -> list[tuple[float, float, str]]:
    """(Measured, budget, unit) of a point that was timed."""
    assert point.timed is not None
    return [(point.timed.step_ms / 1000, STEP_SECONDS, "s a step"), (point.timed.memory_mb, MEMORY_MB, "MB")]
