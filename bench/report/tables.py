"""From records to ranked tables: which rows may be compared, their means over seeds, their order, and the floor.

Records share a table only where task, data, preset, device, number of threads and precision are the same.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from setbench.bench.plan.presets import PRESETS
from setbench.bench.records.record import MetricInfo, Record, Status
from setbench.bench.report.group import Group, group
from setbench.bench.report.numbers import Spread
from setbench.bench.report.result import Result
from setbench.bench.report.seeds import odd_seeds

WAVERED = 1.1  # the reference operation's largest time over its least, above which latencies are given in its units


class Key(NamedTuple):
    """What the rows of one table have in common. The data's parts are "" where no cell came to know them."""

    task: str
    data: str
    kind: str
    checksum: str
    preset: str
    device: str
    threads: int
    precision: str

    @property
    def computed(self) -> tuple[str, str]:
        """Threads and precision in words, where they are not the usual ones."""
        return (
            f"{self.threads} threads" if self.threads != 1 else "",
            self.precision if self.precision != "float32" else "",
        )

    @classmethod
    def of(cls, record: Record) -> Key:
        data, gpu = (record.measured.data, record.measured.gpu) if record.measured else (None, None)
        device = record.device.split(":")[0]
        return cls(
            record.task,
            data.name if data else "",
            data.kind if data else "",
            data.checksum if data else "",
            record.preset,
            f"{device} ({gpu})" if gpu and device == "cuda" else device,  # another GPU is another table
            record.threads,
            record.precision,
        )


@dataclass
class Table:
    """The rows that may be compared, in order."""

    key: Key
    records: list[Record]
    older: list[Record]
    """Records of rows that were run again, under other settings, later: left out."""
    folder: Path | None = None
    """Holds what the cells kept beside their records."""

    @cached_property
    def results(self) -> list[Result]:
        rows: dict[str, list[Record]] = {}
        for record in self.records:
            rows.setdefault(record.row, []).append(record)
        found = [Result(label, sorted(records, key=lambda r: r.seed), self.folder) for label, records in rows.items()]
        floor = next((measured for result in found if result.constant for measured in result.measured), None)
        for result in found:
            result.odd = odd_seeds(result.records, floor)
            if not result.constant:
                scored = {r.seed for r in result.ok if r.measured is not None and r.measured.score is not None}
                tried = {*self.seeds, *(record.seed for record in result.records)}
                result.missing = sorted(tried - scored)
        return found

    @cached_property
    def seeds(self) -> list[int]:
        """The seeds that half of the models that can run, or more, were run under: one row with more seeds than the
        others does not make these incomplete."""
        blocked = (Status.INTRACTABLE, Status.NOT_APPLICABLE)
        cells = {(r.row, r.seed) for r in self.records if not r.constant and r.status not in blocked}
        rows = len({row for row, _ in cells})
        return sorted(seed for seed, n in Counter(seed for _, seed in cells).items() if 2 * n >= rows)

    @cached_property
    def metric_info(self) -> dict[str, MetricInfo]:
        """Unit, direction and meaning of every metric, in the task's order."""
        found = [record.measured.metric_info for record in self.records if record.measured is not None]
        return {name: info for infos in found for name, info in infos.items()}

    @cached_property
    def headline(self) -> str:
        return next((r.measured.headline.metric for r in self.records if r.measured is not None), "")

    def higher_is_better(self, metric: str) -> bool:
        return self.metric_info[metric].higher_is_better

    def score(self, result: Result) -> Spread | None:
        """The headline over seeds, or None where the row cannot be ranked by it."""
        value = result.value(self.headline) if self.headline in self.metric_info else None
        return value if value is not None and math.isfinite(value.centre) else None

    def _place(self, result: Result, value: Spread) -> tuple[bool, float]:
        """What rows are sorted by: those that lack a seed come after all that do not."""
        return not result.complete, -value.centre if self.higher_is_better(self.headline) else value.centre

    @cached_property
    def ranked(self) -> list[Result]:
        """Best first, incomplete rows last, the constant answer among them. Only rows with a finite headline."""
        places = [(self._place(result, value), result) for result in self.results if (value := self.score(result))]
        return [result for _, result in sorted(places, key=lambda pair: pair[0])]

    @cached_property
    def unranked(self) -> list[Result]:
        return [result for result in self.results if self.score(result) is None]

    @cached_property
    def models(self) -> list[Result]:
        """The ranked rows without the constant answer."""
        return [result for result in self.ranked if not result.constant]

    @cached_property
    def constant(self) -> Result | None:
        return next((result for result in self.ranked if result.constant), None)

    def rank(self, result: Result) -> int:
        """1 is best; equal means share a rank; the constant answer takes none."""
        own = self.score(result)
        if own is None:
            raise ValueError(f"{result.label} is not ranked")
        return 1 + bisect_left(self._places, self._place(result, own))

    @cached_property
    def _places(self) -> list[tuple[bool, float]]:
        return [self._place(result, value) for result in self.models if (value := self.score(result))]

    def best(self, result: Result) -> bool:
        """One of the rows that cannot be told from the best; where no row has several seeds, a complete one of rank
        1."""
        if result.constant or not result.complete:
            return False
        return any(result is one for one in self.group.members) if self.group else self.rank(result) == 1

    @cached_property
    def group(self) -> Group | None:
        """Of complete rows of which no seed exploded or collapsed; None where there are none, or of one seed."""
        rows = [result for result in self.models if result.complete and not result.odd]
        if len(self.seeds) < 2 or not rows:
            return None
        return group(rows, self.seeds, self.higher_is_better(self.headline))

    def at_floor(self, value: Spread | None, metric: str) -> bool:
        """Whether a value is no better than the constant answer's by more than half its interval."""
        floor = self.constant.value(metric) if self.constant else None
        if value is None or floor is None or not math.isfinite(floor.centre) or metric not in self.metric_info:
            return False
        gain = value.centre - floor.centre if self.higher_is_better(metric) else floor.centre - value.centre
        return not gain > (value.half or 0.0)

    @cached_property
    def machines(self) -> list[str]:
        return distinct(machine(record) for record in self.records)

    @cached_property
    def references(self) -> list[float]:
        """Milliseconds of the reference operation, timed beside every cell."""
        times = [found.time for result in self.results for found in result.measured]
        return [time.reference_ms for time in times if time is not None and time.reference_ms > 0]

    @cached_property
    def wavered(self) -> bool:
        """The machine was not equally fast for all cells."""
        return bool(self.references) and max(self.references) > WAVERED * min(self.references)

    @property
    def in_references(self) -> bool:
        """Latencies compare in units of the reference operation alone."""
        return len(self.machines) > 1 or self.wavered


def why(record: Record) -> str:
    """The reason why a cell has no result: the one it gave, else the last line of its traceback."""
    trace = record.traceback.strip().splitlines()
    return record.reason or (trace[-1] if trace else "")


def machine(record: Record) -> str:
    """``2 cores of Some CPU, NVIDIA H100, Linux-6.1``."""
    info = record.machine
    gpu = record.measured.gpu if record.measured else None
    return ", ".join(filter(None, (f"{info.cores} cores of {info.cpu or 'a CPU'}", gpu, info.platform)))


def distinct(values: Iterable[str]) -> list[str]:
    """Without the empty and the repeated, the most frequent first."""
    return [value for value, _ in Counter(value for value in values if value).most_common()]


def reported(records: Iterable[Record]) -> list[Record]:
    """Without trials of tuning, which are of the validation split: no table, page or summary reports them."""
    return [record for record in records if record.split == "test"]


def tables(records: Iterable[Record], folder: Path | None = None) -> list[Table]:
    """Every table, in the tasks' order; within a task the fullest preset first. ``folder`` is the results folder, which
    holds the test items' scores: without it statistics are over seeds alone."""
    groups: dict[Key, list[Record]] = {}
    constants: list[Record] = []
    ended_early: list[Record] = []
    for record in reported(records):
        if record.measured is None:
            ended_early.append(record)
        elif record.constant:
            constants.append(record)
        else:
            groups.setdefault(Key.of(record), []).append(record)
    for record in constants:  # no device computes it: it stands in every table on its data
        own = Key.of(record)
        for home in [key for key in groups if key[:5] == own[:5]] or [own]:
            groups.setdefault(home, []).append(record)
    for record in ended_early:
        groups.setdefault(_home(record, groups), []).append(record)
    return sorted((Table(key, *_newest(group), folder) for key, group in groups.items()), key=_order)


def _home(record: Record, groups: dict[Key, list[Record]]) -> Key:
    """The table in which a cell that ended early would have stood: of its task, preset, precision and device (of a GPU
    it knows no more than that), then as alike as can be in threads and in the data that the plan knew."""
    own = Key.of(record)

    def may_be(key: Key) -> bool:
        device = key.device == own.device or key.device.startswith(f"{own.device} (")
        if (key.task, key.preset, key.precision) != (own.task, own.preset, own.precision) or not device:
            return False
        # records of old did not say with how many threads they had ended
        return key.threads == own.threads or all((r.row, r.seed) != (record.row, record.seed) for r in groups[key])

    def unlike(key: Key) -> tuple[bool, bool]:
        planned = any(other.data_key == record.data_key for other in groups[key])
        return key.threads != own.threads, not planned

    return min(filter(may_be, groups), key=unlike, default=own)


def _newest(group: Sequence[Record]) -> tuple[list[Record], list[Record]]:
    kept: dict[tuple[str, int], Record] = {}
    older = []
    for record in group:
        newest, place = record, (record.row, record.seed)
        if place in kept:
            first, newest = sorted((kept[place], record), key=lambda r: r.finished)
            older.append(first)
        kept[place] = newest
    return list(kept.values()), older


def _order(table: Table) -> tuple[float, str, int, Key]:
    first = min((record.task_text.order for record in table.records), default=math.inf)
    preset = PRESETS.index(table.key.preset) if table.key.preset in PRESETS else -1
    return (first, table.key.task, -preset, table.key)
