"""From records to ranked tables: which rows may be compared, their means over seeds, their order, and the floor.

A record is the JSON of one cell, as the store loads it. Records share a table only where task, data, preset and device
are the same.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

from setbench.bench.plan.presets import PRESETS
from setbench.bench.report.numbers import Spread, spread

Record = dict[str, Any]

EXACT = 1e-10  # an exact method shows rounding alone in float64, about 1e-15


class Key(NamedTuple):
    """What the rows of one table have in common. An empty part is unknown (a cell that ended before it was known)."""

    task: str
    data: str
    kind: str
    checksum: str
    preset: str
    device: str


def part(record: Record, name: str) -> dict[str, Any]:
    """A nested part of a record; empty where a cell ended before it had one."""
    return record.get(name) or {}


def device(record: Record) -> str:
    """``cpu``, or ``cuda (NVIDIA H100)``: another GPU is another table."""
    name = str(part(record, "time").get("device") or record.get("device") or "").split(":")[0]
    gpu = part(record, "machine").get("gpu")
    return f"{name} ({gpu})" if gpu and name == "cuda" else name


def key(record: Record) -> Key:
    data = part(record, "data")
    return Key(
        record["task"],
        data.get("name") or "",
        data.get("kind") or "",
        data.get("checksum") or "",
        record.get("preset") or "",
        device(record),
    )


def _variant(record: Record) -> str:
    return part(record, "headline").get("variant") or ""


@dataclass
class Line:
    """One model in one table: its records over seeds."""

    label: str
    records: list[Record]

    @cached_property
    def ok(self) -> list[Record]:
        return [record for record in self.records if record["status"] == "ok"]

    @property
    def paradigm(self) -> str:
        return self.records[0].get("paradigm") or ""

    @property
    def constant(self) -> bool:
        return bool(self.records[0].get("constant"))

    @property
    def encoder(self) -> str | None:
        return self.records[0].get("encoder")

    @property
    def claim(self) -> str:
        return self.records[0].get("invariance_claim") or ""

    @property
    def notes(self) -> list[str]:
        return list(dict.fromkeys(note for record in self.records for note in record.get("notes") or ()))

    @cached_property
    def variants(self) -> list[str]:
        return list(dict.fromkeys(variant for record in self.ok for variant in part(record, "metrics")))

    def value(self, metric: str, variant: str | None = None) -> Spread | None:
        """A metric over the seeds that are ok; of the headline's variant where none is named."""
        scores = [part(part(record, "metrics"), _variant(record) if variant is None else variant) for record in self.ok]
        # JSON has no NaN: a null is a metric that was no number, and not one that was left out
        return spread(math.nan if score[metric] is None else score[metric] for score in scores if metric in score)

    @property
    def headline_variant(self) -> str:
        return _variant((self.ok or self.records)[0])

    def time(self, name: str) -> Spread | None:
        return spread(part(record, "time").get(name) for record in self.ok)

    @property
    def latency_ratio(self) -> Spread | None:
        """Latency in units of the reference operation that was timed beside it: comparable between machines."""
        times = [part(record, "time") for record in self.ok]
        return spread(
            t["latency_ms"] / t["reference_ms"] for t in times if t.get("latency_ms") and t.get("reference_ms")
        )

    def invariance(self, name: str) -> float | None:
        """The largest over seeds."""
        values = [part(record, "invariance").get(name) for record in self.ok]
        return max((value for value in values if value is not None), default=None)

    @property
    def breaks_claim(self) -> bool:
        """It is listed as exactly invariant and is not."""
        error = self.invariance("max64")
        return self.claim == "exact" and error is not None and not error <= EXACT

    @property
    def parameters(self) -> int | None:
        return next((record["parameters"] for record in self.records if record.get("parameters") is not None), None)

    @property
    def statuses(self) -> Counter[str]:
        return Counter(record["status"] for record in self.records)


@dataclass
class Table:
    """The rows that may be compared, in order."""

    key: Key
    records: list[Record]
    older: list[Record]
    """Records of rows that were run again, under other settings, later: left out."""

    @cached_property
    def lines(self) -> list[Line]:
        rows: dict[str, list[Record]] = {}
        for record in self.records:
            rows.setdefault(record["row"], []).append(record)
        return [Line(label, sorted(records, key=lambda r: r.get("seed") or 0)) for label, records in rows.items()]

    @cached_property
    def metric_info(self) -> dict[str, dict[str, Any]]:
        """Unit, direction and meaning of every metric, in the task's order."""
        return {name: info for record in self.records for name, info in part(record, "metric_info").items()}

    @cached_property
    def headline(self) -> str:
        names = (
            part(record, "headline").get("metric") for record in sorted(self.records, key=lambda r: r["status"] != "ok")
        )
        return next((name for name in names if name), "")

    def higher_is_better(self, metric: str) -> bool:
        return bool(self.metric_info[metric]["higher_is_better"])

    def score(self, line: Line) -> Spread | None:
        """The headline over seeds, or None where the line cannot be ranked by it."""
        value = line.value(self.headline) if self.headline in self.metric_info else None
        return value if value is not None and math.isfinite(value.mean) else None

    @cached_property
    def ranked(self) -> list[Line]:
        """Best first, the constant answer among them. Only lines with a finite headline."""
        scored = [(line, value.mean) for line in self.lines if (value := self.score(line))]
        return [line for line, _ in sorted(scored, key=lambda pair: pair[1], reverse=self._reverse)]

    @property
    def _reverse(self) -> bool:
        return self.headline in self.metric_info and self.higher_is_better(self.headline)

    @cached_property
    def unranked(self) -> list[Line]:
        return [line for line in self.lines if self.score(line) is None]

    @property
    def models(self) -> list[Line]:
        """The ranked lines without the constant answer."""
        return [line for line in self.ranked if not line.constant]

    @cached_property
    def constant(self) -> Line | None:
        return next((line for line in self.ranked if line.constant), None)

    def rank(self, line: Line) -> int:
        """1 is best; equal means share a rank; the constant answer takes none."""
        means = [value.mean for other in self.models if (value := self.score(other))]
        own = self.score(line)
        if own is None:
            raise ValueError(f"{line.label} is not ranked")
        return 1 + sum(mean > own.mean if self._reverse else mean < own.mean for mean in means)

    def at_floor(self, value: Spread | None, metric: str) -> bool:
        """Whether a value is no better than the constant answer's by more than the spread of both over seeds."""
        floor = self.constant.value(metric) if self.constant else None
        if value is None or floor is None or not math.isfinite(floor.mean) or metric not in self.metric_info:
            return False
        gain = value.mean - floor.mean if self.higher_is_better(metric) else floor.mean - value.mean
        return not gain > math.hypot(value.sd or 0.0, floor.sd or 0.0)

    @property
    def seeds(self) -> int:
        """The most seeds that any line has."""
        return max((len(line.records) for line in self.lines if not line.constant), default=0)

    @property
    def machines(self) -> list[str]:
        return distinct(machine(record) for record in self.records if part(record, "machine"))


def why(record: Record) -> str:
    """The reason why a cell has no result: the one it gave, else the last line of its traceback."""
    trace = (record.get("traceback") or "").strip().splitlines()
    return record.get("reason") or (trace[-1] if trace else "")


def machine(record: Record) -> str:
    """``2 cores of Some CPU, NVIDIA H100, Linux-6.1``."""
    info = part(record, "machine")
    cores = f"{info['cores']} cores of " if info.get("cores") else ""
    return ", ".join(
        str(text) for text in (f"{cores}{info.get('cpu') or 'a CPU'}", info.get("gpu"), info.get("platform")) if text
    )


def distinct(values: Iterable[str]) -> list[str]:
    """Without the empty and the repeated, the most frequent first."""
    return [value for value, _ in Counter(value for value in values if value).most_common()]


def tables(records: Iterable[Record]) -> list[Table]:
    """Every table, in the tasks' order; within a task the fullest preset first."""
    groups: dict[Key, list[Record]] = {}
    partial = []
    for record in records:
        own = key(record)
        if all(own):
            groups.setdefault(own, []).append(record)
        else:
            partial.append((own, record))
    for own, record in partial:
        for home in _homes(own, record, list(groups)):
            groups.setdefault(home, []).append(record)
    return sorted((Table(name, *_newest(group)) for name, group in groups.items()), key=_order)


def _homes(own: Key, record: Record, known: list[Key]) -> list[Key]:
    """Where a record stands that does not know all of its key: a cell that ended early goes with the table that it
    would have stood in, and the constant answer, which no device computes, with every table on its data."""
    fitting = [home for home in known if all(mine in ("", theirs) for mine, theirs in zip(own, home, strict=True))]
    return (fitting if record.get("constant") else fitting[:1]) or [own]


def _newest(group: list[Record]) -> tuple[list[Record], list[Record]]:
    kept: dict[tuple[str, Any], Record] = {}
    older = []
    for record in group:
        place = (record["row"], record.get("seed"))
        rival = kept.get(place)
        if rival is not None:
            first, record = sorted((rival, record), key=lambda r: r.get("finished") or "")
            older.append(first)
        kept[place] = record
    return list(kept.values()), older


def _order(table: Table) -> tuple[Any, ...]:
    order = [part(record, "task_text").get("order") for record in table.records]
    first = min((value for value in order if value is not None), default=math.inf)
    preset = PRESETS.index(table.key.preset) if table.key.preset in PRESETS else -1
    return (first, table.key.task, -preset, *table.key)
