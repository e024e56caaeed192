"""How long a run will take, from what cells took before. Imports no torch.

Seconds are kept as multiples of a reference operation, so that they carry over between machines: a thousand small
matrix products in numpy, which, like small models, are bound by the time to launch an operation.
"""

from __future__ import annotations

import heapq
import json
import statistics
import time
from collections import defaultdict
from collections.abc import Iterable, Sequence

import numpy as np

from setbench.bench.plan.cells import Cell
from setbench.bench.plan.presets import SETTINGS
from setbench.bench.records.record import Record, Status

COSTS = SETTINGS / "costs.json"
START_SECONDS = 5.0
UNKNOWN = 10.0


def cpu_unit_seconds() -> float:
    """Seconds of the reference operation on this machine, now: the median of three."""
    generator = np.random.default_rng(0)
    left, right = generator.normal(size=(32, 64)), generator.normal(size=(64, 64))
    times = []
    for _ in range(3):
        start = time.perf_counter()
        for _ in range(1000):
            np.tanh(left @ right)
        times.append(time.perf_counter() - start)
    return statistics.median(times)


class Estimate:
    """Seconds for cells and for preparing data, from a table of costs and from earlier records.

    Args:
        records: of the results folder in hand; those of this very machine are the best guide there is.
        cpu: this machine's processor.
    """

    def __init__(self, records: Iterable[Record], cpu: str) -> None:
        self.reference = cpu_unit_seconds()
        table = json.loads(COSTS.read_text(encoding="utf-8")) if COSTS.exists() else {}
        self.costs = {key: cost * self.reference for key, cost in table.items()}
        measured = defaultdict(list)
        for record in records:
            if record.status is Status.OK and record.machine.cpu == cpu:
                measured[cost_key(record.preset, record.task, record.row)].append(record.seconds)
        self.measured = {key: statistics.mean(values) for key, values in measured.items()}
        self.costs |= self.measured
        self.near: dict[str, float | None] = {}
        """What :meth:`_near` has found: thousands of cells ask for the same."""

    def cell(self, cell: Cell) -> float:
        """Seconds of one cell: its own cost, else the median of its task's cells, else of its preset's."""
        if cell.blocked:
            return 0.0
        for prefix in (
            cost_key(cell.preset, cell.task, cell.row),
            f"{cell.preset}/{cell.task}/",
            f"{cell.preset}/",
        ):
            if prefix not in self.near:
                self.near[prefix] = self._near(prefix)
            near = self.near[prefix]
            if near is not None:
                return near
        return UNKNOWN

    def _near(self, prefix: str) -> float | None:
        """The cost under a key, or the median of those under a prefix that ends in a slash."""
        near = [
            cost
            for key, cost in self.costs.items()
            if (key == prefix or (prefix.endswith("/") and key.startswith(prefix))) and "(data)" not in key
        ]
        return statistics.median(near) if near else None

    def knows(self, preset: str, device: str) -> bool:
        """Whether it has anything to go by: the shipped costs are those of a CPU."""
        known = self.costs if device == "cpu" else self.measured
        return any(key.startswith(f"{preset}/") for key in known)

    def data(self, preset: str, task: str) -> float:
        """Seconds to prepare a task's data from nothing."""
        return self.costs.get(cost_key(preset, task, "(data)"), 1.0)

    def total(self, cells: Sequence[Cell], unprepared: Sequence[tuple[str, str]], jobs: int) -> float:
        """Wall clock of a run: preparing data one after the other, cells ``jobs`` at a time."""
        return START_SECONDS + sum(self.data(*item) for item in unprepared) + _makespan(map(self.cell, cells), jobs)


def _makespan(seconds: Iterable[float], jobs: int) -> float:
    free = [0.0] * jobs
    for one in seconds:
        heapq.heapreplace(free, free[0] + one)
    return max(free)


def cost_key(preset: str, task: str, row: str) -> str:
    return f"{preset}/{task}/{row}"


def human(seconds: float) -> str:
    """``48 s``, ``9 min`` or ``2.5 h``."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
