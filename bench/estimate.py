"""How long a run will take, from what cells took before. Imports no torch.

Seconds are kept as multiples of a reference operation, so that they carry over between machines: a thousand small
matrix products in numpy, which, like small models, are bound by the time to launch an operation.
"""

from __future__ import annotations

import heapq
import json
import statistics
import sys
import time
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from platformdirs import user_cache_path

from bench.plan import Cell
from bench.presets import SETTINGS
from bench.store import Store, write_atomically

COSTS = SETTINGS / "costs.json"
START_SECONDS = 5.0
UNKNOWN = 10.0


def reference_seconds() -> float:
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

    def __init__(self, records: Iterable[dict[str, Any]], cpu: str) -> None:
        self.reference = reference_seconds()
        table = json.loads(COSTS.read_text(encoding="utf-8")) if COSTS.exists() else {}
        self.costs = {key: cost * self.reference for key, cost in table.items()}
        seen = defaultdict(list)
        for record in records:
            if record["status"] == "ok" and record.get("machine", {}).get("cpu") == cpu:
                seen[cost_key(record["preset"], record["task"], record["row"])].append(record["seconds"])
        self.seen = {key: statistics.mean(values) for key, values in seen.items()}
        self.costs |= self.seen

    def cell(self, cell: Cell) -> float:
        """Seconds of one cell: its own cost, else the median of its task's cells, else of its preset's."""
        if cell.blocked:
            return 0.0
        for prefix in (
            cost_key(cell.preset, cell.task, cell.row),
            f"{cell.preset}/{cell.task}/",
            f"{cell.preset}/",
        ):
            near = [
                cost
                for key, cost in self.costs.items()
                if (key == prefix or (prefix.endswith("/") and key.startswith(prefix))) and "(data)" not in key
            ]
            if near:
                return statistics.median(near)
        return UNKNOWN

    def knows(self, preset: str, device: str) -> bool:
        """Whether it has anything to go by: the shipped costs are those of a CPU."""
        known = self.costs if device == "cpu" else self.seen
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


def update_costs(records: Iterable[dict[str, Any]], prepared: dict[str, float]) -> None:
    """Put the costs of these records (all of one machine, this one) into the shipped table.

    Of data the dearest preparation stays: a cheap one found its pictures made already, for another task.
    """
    reference = reference_seconds()
    table = json.loads(COSTS.read_text(encoding="utf-8")) if COSTS.exists() else {}
    seconds: dict[str, list[float]] = defaultdict(list)
    for record in records:
        if record["status"] == "ok":
            seconds[cost_key(record["preset"], record["task"], record["row"])].append(record["seconds"])
    for key, values in seconds.items():
        table[key] = round(statistics.mean(values) / reference, 2)
    for key, value in prepared.items():
        table[key] = max(table.get(key, 0.0), round(value / reference, 2))
    write_atomically(COSTS, json.dumps(dict(sorted(table.items())), indent=0) + "\n")


def human(seconds: float) -> str:
    """``48 s``, ``9 min`` or ``2.5 h``."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def main() -> None:
    """``python -m bench.estimate DIR [DIR ...]``: put what these folders' records cost into the table."""
    markers = [json.loads(path.read_text()) for path in (user_cache_path("setbench") / "prepared").glob("*.json")]
    prepared: dict[str, float] = {}
    for marker in markers:
        prepared[marker["key"]] = max(prepared.get(marker["key"], 0.0), marker["seconds"])
    records = [record for folder in sys.argv[1:] for record in Store(Path(folder), print).all()]
    update_costs(records, prepared)
    print(f"{len(records)} records, {len(prepared)} preparations of data: {COSTS.name} is written")


if __name__ == "__main__":
    main()
