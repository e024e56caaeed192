"""One row of a leaderboard: a model on a task over its seeds."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

import numpy as np
from jaxtyping import Float

from setbench.bench.plan.code import of_this_code
from setbench.bench.records.record import Invariance, Measured, Record, Status, Timing
from setbench.bench.report.numbers import Spread, median_spread, spread
from setbench.bench.report.seeds import EXACT
from setbench.bench.report.statistics.intervals import half_width
from setbench.bench.report.statistics.items import independent_items, item_values


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

    @property
    def memory(self) -> Spread | None:
        """The peak in megabytes that a cell added to its process, or on a GPU the allocator's."""
        return spread(found.peak_memory_mb for found in self.measured)

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
