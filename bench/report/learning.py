"""How rows learned: the headline metric on validation data against seconds of training. Imports no matplotlib."""

from __future__ import annotations

import statistics

from setbench.bench.report.result import Result
from setbench.bench.report.tables import Table

Curve = list[tuple[float, float]]


def curve(result: Result) -> Curve:
    """(seconds, score) at every step that all seeds were validated at, each the median over the seeds."""
    seeds: list[dict[int, tuple[float, float]]] = []
    for measured in result.measured:
        kept = measured.curve
        points = zip(kept.validation_step, kept.validation_seconds, kept.validation_score, strict=False)
        seeds.append({step: (second, score) for step, second, score in points if score is not None and second > 0})
    if not seeds:
        return []
    steps = sorted(set.intersection(*(set(one) for one in seeds)))
    middle = statistics.median
    return [(middle(one[step][0] for one in seeds), middle(one[step][1] for one in seeds)) for step in steps]


def learning(table: Table) -> list[tuple[Result, Curve]]:
    """The ranked models with a curve of two points or more, best first."""
    found = [(result, curve(result)) for result in table.models]
    return [(result, points) for result, points in found if len(points) > 1]
