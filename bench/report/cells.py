"""Cells that more than one table has: cost, invariance and rank of a row, with their marks."""

from __future__ import annotations

from setbench.bench.report.document import TableCell
from setbench.bench.report.numbers import Spread, count, error, number
from setbench.bench.report.result import Result
from setbench.bench.report.sections import BROKEN, INCOMPLETE
from setbench.bench.report.tables import Table, distinct


def plain(value: float | None) -> TableCell:
    return TableCell(number(value), value)


def centre(value: Spread | None) -> TableCell:
    """Without its interval."""
    return plain(None if value is None else value.centre)


def parameters(result: Result) -> TableCell:
    return TableCell(count(result.parameters), result.parameters)


def latency_head(table: Table) -> str:
    return "latency (× reference)" if table.in_references else "latency (ms)"


def latency(table: Table, result: Result) -> Spread | None:
    """In the unit of :func:`latency_head`."""
    return result.latency_ratio if table.in_references else result.latency


def rank(table: Table, result: Result) -> TableCell:
    """Nothing for the constant answer and for rows that are not ranked."""
    if result.constant or table.score(result) is None:
        return TableCell("")
    place = table.rank(result)
    return TableCell(f"{place}" if result.complete else f"{place} {INCOMPLETE}", place)


def invariance(result: Result) -> TableCell:
    """In float64."""
    mark = f" {BROKEN}" if result.breaks_claim else ""
    return TableCell(f"{error(result.error64)}{mark}", result.error64)


def invariance32(result: Result) -> TableCell:
    """In the type of numbers that it was trained in, named where that is not float32."""
    kinds = distinct(found.invariance.dtype for found in result.measured if found.invariance is not None)
    other = f" ({kinds[0]})" if kinds and kinds != ["float32"] else ""
    return TableCell(f"{error(result.error)}{other}", result.error)
