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
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import numpy as np

from setbench.bench.plan.cells import Cell
from setbench.bench.plan.presets import PRESETS, SETTINGS, Preset, load
from setbench.bench.records.record import Record, Status
from setbench.tasks.catalogue import TASKS

COSTS = SETTINGS / "costs.json"
STEPS = SETTINGS / "steps.json"
"""Of whole cells, and of one training step of cells that are too long to be run for it."""

START_SECONDS = 5.0


def cpu_unit_seconds(clock: Callable[[], float] = time.perf_counter) -> float:
    """Seconds of the reference operation on this machine, now, by a clock: the median of three."""
    generator = np.random.default_rng(0)
    left, right = generator.normal(size=(32, 64)), generator.normal(size=(64, 64))
    times = []
    for _ in range(3):
        start = clock()
        for _ in range(1000):
            np.tanh(left @ right)
        times.append(clock() - start)
    return statistics.median(times)


class Estimate:
    """Seconds for cells and for preparing data, from tables of costs and from earlier records.

    Args:
        records: of the results folder in hand; those of this very machine are the best guide there is.
        cpu: this machine's processor.
    """

    def __init__(self, records: Iterable[Record], cpu: str) -> None:
        self.reference = cpu_unit_seconds()
        self.costs, self.steps = self._table(COSTS), self._table(STEPS)
        measured = defaultdict(list)
        for record in records:
            if record.status is Status.OK and record.machine.cpu == cpu:
                conditions = record.device, record.settings.get("steps")
                measured[conditions, cost_key(record.preset, record.task, record.row)].append(record.seconds)
        self.measured = {key: statistics.mean(values) for key, values in measured.items()}
        self.known: dict[tuple[str, int], dict[str, float]] = {}
        self.presets: dict[str, Preset] = {}
        self.near: dict[tuple[str, int, str, str], float | None] = {}

    def _table(self, path: Path) -> dict[str, float]:
        table = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
        return {key: cost * self.reference for key, cost in table.items()}

    def cell(self, cell: Cell) -> float | None:
        """Seconds of one cell: its own cost, else a timed step times its steps, else the median of its task's cells,
        else of its preset's; None where there is none of these, so that nothing is known."""
        if cell.blocked:
            return 0.0
        costs = self._costs(cell.device, cell.settings.steps)
        own = cost_key(cell.preset, cell.task, cell.row)
        if own in costs:
            return costs[own] * self._length(cell, own)
        if (step := self.step(cell)) is not None:
            return step * cell.settings.steps
        return self._neighbours(cell)

    def _costs(self, device: str, steps: int) -> dict[str, float]:
        """What is shipped, for a CPU, and what was measured under these conditions."""
        conditions = device, steps
        if conditions not in self.known:
            measured = {key: cost for (found, key), cost in self.measured.items() if found == conditions}
            self.known[conditions] = {**(self.costs if device == "cpu" else {}), **measured}
        return self.known[conditions]

    def _length(self, cell: Cell, key: str) -> float:
        """Its steps over those of the cell that its cost was shipped for; 1 where these very steps were measured."""
        measured = ((cell.device, cell.settings.steps), key) in self.measured
        if measured or cell.constant or cell.preset not in PRESETS:
            return 1.0
        if cell.preset not in self.presets:
            self.presets[cell.preset] = load(cell.preset)
        usual = self.presets[cell.preset]
        return cell.settings.steps / usual.settings(cell.task, cell.row)[0].steps

    def _neighbours(self, cell: Cell) -> float | None:
        place = cell.device, cell.settings.steps, cell.preset, cell.task
        if place not in self.near:
            costs = self._costs(cell.device, cell.settings.steps)
            for prefix in (f"{cell.preset}/{cell.task}/", f"{cell.preset}/"):
                near = [cost for key, cost in costs.items() if key.startswith(prefix) and "(data)" not in key]
                if near:
                    break
            self.near[place] = statistics.median(near) if near else None
        return self.near[place]

    def step(self, cell: Cell) -> float | None:
        """Seconds of one of its training steps, where such a step was timed: on one thread of a CPU."""
        alike = (cell.device, cell.threads) == ("cpu", 1) and not cell.constant
        return self.steps.get(step_key(cell)) if alike else None

    def extrapolated(self, cell: Cell) -> bool:
        """Whether all that is known of a cell is a timed step."""
        return (step := self.step(cell)) is not None and self.cell(cell) == step * cell.settings.steps

    def unknown(self, cells: Iterable[Cell]) -> int:
        """How many of the cells are like none that was timed."""
        return sum(self.cell(cell) is None for cell in cells)

    def data(self, preset: str, task: str) -> float | None:
        """Seconds to prepare a task's data from nothing; of data that take less than one in every other preset, the
        most of these; None where it is unknown."""
        others = [cost for key, cost in self.costs.items() if key.endswith(f"/{task}/(data)")]
        usual = max(others) if others and max(others) < 1 else None
        return self.costs.get(cost_key(preset, task, "(data)"), usual)

    def total(self, cells: Sequence[Cell], unprepared: Sequence[tuple[str, str]], jobs: int) -> float:
        """Wall clock of a run, of what is known of it: preparing data one after the other, cells ``jobs`` at a time."""
        preparing = sum(self.data(*item) or 0.0 for item in unprepared)
        return START_SECONDS + preparing + _makespan((self.cell(cell) or 0.0 for cell in cells), jobs)


def step_key(cell: Cell) -> str:
    """All that the time of one of its training steps depends on, but the machine."""
    settings = cell.settings
    slots = TASKS[cell.task].max_size(settings.task_options)
    sizes = f"{slots} slots, batch {settings.batch}, latent {settings.latent}, width {settings.width}"
    return f"{cell.task}/{cell.row}/{sizes}, {settings.image_encoder}"


def expected(seconds: float, unknown: int, cells: int) -> str:
    """How long so many cells take, of which some are ``unknown``, in words."""
    if unknown == 0:
        return f"about {human(seconds)}"
    if unknown == cells:
        return "how long is unknown"
    return f"at least {human(seconds)}: how long {unknown} of them take is unknown"


def _makespan(seconds: Iterable[float], jobs: int) -> float:
    free = [0.0] * jobs
    for one in seconds:
        heapq.heapreplace(free, free[0] + one)
    return max(free)


def cost_key(preset: str, task: str, row: str) -> str:
    return f"{preset}/{task}/{row}"


def human(seconds: float) -> str:
    """``48 s``, ``9 min``, ``2.5 h`` or ``12 days``."""
    for unit, least, digits, word in ((86400, 259200, 0, "days"), (3600, 5400, 1, "h"), (60, 90, 0, "min")):
        if seconds >= least:
            return f"{seconds / unit:.{digits}f} {word}"
    return f"{seconds:.0f} s"
