"""How rows learned: the headline metric on validation data against seconds of training. Imports no matplotlib."""

from __future__ import annotations

import statistics
from typing import NamedTuple

from setbench.bench.report.result import Result
from setbench.bench.report.tables import Table


class Point(NamedTuple):
    step: int
    seconds: float
    score: float


Curve = list[Point]


def curve(result: Result) -> Curve:
    """A point at every step that all seeds were validated at with a finite score, seconds and score each the median
    over the seeds."""
    seeds: list[dict[int, Point]] = []
    for measured in result.measured:
        kept = measured.curve
        points = zip(kept.validation_step, kept.validation_seconds, kept.validation_score, strict=False)
        seeds.append({at: Point(at, second, score) for at, second, score in points if score is not None and second > 0})
    steps = sorted(set.intersection(*map(set, seeds))) if seeds else []
    middle = statistics.median
    return [
        Point(step, middle(one[step].seconds for one in seeds), middle(one[step].score for one in seeds))
        for step in steps
    ]


def learning(table: Table) -> list[tuple[Result, Curve]]:
    """The ranked models with a curve of two points or more, best first."""
    found = [(result, curve(result)) for result in table.models]
    return [(result, points) for result, points in found if len(points) > 1]
