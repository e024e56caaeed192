"""From records to ranked tables: which rows may be compared, their means over seeds, their order, and the floor.

Records share a table only where task, data, preset, device, number of threads and precision are the same.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from setbench.bench.plan.code import of_this_code
from setbench.bench.plan.presets import PRESETS
from setbench.bench.records.record import Invariance, Measured, MetricInfo, Record, Status, Timing
from setbench.bench.report.group import Group, group
from setbench.bench.report.numbers import Spread, median_spread, spread
from setbench.bench.report.seeds import EXACT, odd_seeds
from setbench.bench.report.statistics.intervals import half_width
from setbench.bench.report.statistics.items import independent_items, item_values

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
class Result:
    """One model in one table: its records over seeds.

    ``odd`` says which seeds exploded or collapsed; with one the centre is the median. ``missing`` are seeds of its own
    or of the table for which this row has no finite result: with one the row ranks behind those that are complete.
    ``folder`` holds what the cells kept beside their records, where it is at hand.
    """

    label: str
    records: list[Record]
    folder: Path | None = None
    odd: dict[int, str] = field(default_factory=dict)
    missing: list[int] = field(default_factory=list)
    _values: dict[tuple[str, str | None], Spread | None] = field(default_factory=dict, init=False, repr=False)

    @cached_property
    def ok(self) -> list[Record]:
        return [record for record in self.records if record.ok]

    @cached_property
    def measured(self) -> list[Measured]:
        return [record.measured for record in self.records if record.measured is not None]

    @property
    def complete(self) -> bool:
        return not self.missing

    @property
    def paradigm(self) -> str:
        return self.records[0].model.paradigm

    @property
    def constant(self) -> bool:
        return self.records[0].constant

    @property
    def encoder(self) -> str | None:
        return self.records[0].encoder

    @property
    def claim(self) -> str:
        return self.records[0].model.invariance_claim

    @cached_property
    def notes(self) -> list[str]:
        return list(dict.fromkeys(note for found in self.measured for note in found.notes))

    @cached_property
    def other_code(self) -> bool:
        """Whether one of its records was made by other code than there is now."""
        return not all(map(of_this_code, self.records))

    @property
    def replayed(self) -> bool:
        """Whether one of its records is older than the code, and its first steps were run again, the same."""
        return any(record.replayed for record in self.records)

    @cached_property
    def variants(self) -> list[str]:
        return list(dict.fromkeys(variant for found in self.measured for variant in found.metrics))

    def value(self, metric: str, variant: str | None = None) -> Spread | None:
        """A metric over the seeds that have a result; of the headline's variant where none is named. The interval of
        the headline is over the test items too, where their scores are kept."""
        if (metric, variant) not in self._values:
            self._values[metric, variant] = self._value(metric, variant)
        return self._values[metric, variant]

    def _value(self, metric: str, variant: str | None) -> Spread | None:
        values, higher = [], False
        for found in self.measured:
            scores = found.metrics.get(found.headline.variant if variant is None else variant, {})
            if metric in scores:
                score = scores[metric]
                values.append(math.nan if score is None else score)  # null: it was no number, not left out
                higher = metric in found.metric_info and found.metric_info[metric].higher_is_better
        if self.odd:
            return median_spread(values, higher)
        value = spread(values)
        if value is None or value.sd is None or variant is not None or self.items is None:
            return value
        if any(measured.headline.metric != metric for measured in self.measured):
            return value
        return replace(value, half=half_width(self.items, independent_items(self.ok, self.items.shape[1])))

    @cached_property
    def items(self) -> Float[np.ndarray, "seeds items"] | None:
        """The headline's score of every test item under every seed that has a result; None where they are not kept."""
        return item_values(self.ok, self.folder)

    @cached_property
    def validation(self) -> float | None:
        """The headline on a part of the validation split at the end of training, over seeds; None where a seed lacks
        it."""
        ends = [found.curve.validation_score[-1:] for found in self.measured]
        scores = [score for end in ends for score in end if score is not None]
        return math.fsum(scores) / len(scores) if scores and len(scores) == len(ends) else None

    def timing(self, pick: Callable[[Timing], float]) -> Spread | None:
        """Something timed, over the seeds that have a result; of those of several kinds of processor, over the seeds of
        the kind that has most, since times of two do not average."""
        timed = [(record.processor, found.time) for record in self.ok if (found := record.measured) and found.time]
        usual = Counter(processor for processor, _ in timed).most_common(1)
        return spread(pick(time) for processor, time in timed if processor == usual[0][0])

    @property
    def train(self) -> Spread | None:
        return self.timing(lambda time: time.train)

    @property
    def latency(self) -> Spread | None:
        return self.timing(lambda time: time.latency_ms)

    @property
    def latency_ratio(self) -> Spread | None:
        """Latency in units of the reference operation that was timed beside it."""
        return self.timing(lambda time: time.latency_ms / time.reference_ms if time.reference_ms else math.nan)

    def largest(self, pick: Callable[[Invariance], float | None]) -> float | None:
        """An invariance error: the largest over seeds."""
        values = [pick(found.invariance) for found in self.measured if found.invariance is not None]
        return max((value for value in values if value is not None), default=None)

    @property
    def error(self) -> float | None:
        return self.largest(lambda moved: moved.max)

    @property
    def error64(self) -> float | None:
        return self.largest(lambda moved: moved.max64)

    @property
    def error_to_spread(self) -> float | None:
        """Infinite where the code does not differ between sets at all."""
        return self.largest(
            lambda moved: (
                math.inf if moved.relative_to_spread is None and moved.max is not None else moved.relative_to_spread
            )
        )

    @property
    def breaks_claim(self) -> bool:
        """It is listed as exactly invariant and is not."""
        return self.claim == "exact" and self.error64 is not None and not self.error64 <= EXACT

    @property
    def parameters(self) -> int | None:
        return next((found.parameters for found in self.measured if found.parameters is not None), None)

    @property
    def statuses(self) -> Counter[Status]:
        return Counter(record.status for record in self.records)


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


def tables(records: Iterable[Record], folder: Path | None = None) -> list[Table]:
    """Every table, in the tasks' order; within a task the fullest preset first. ``folder`` is the results folder, which
    holds the test items' scores: without it statistics are over seeds alone."""
    groups: dict[Key, list[Record]] = {}
    constants: list[Record] = []
    ended_early: list[Record] = []
    for record in records:
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
