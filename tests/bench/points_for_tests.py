"""Points as a measurement would have found them, made up."""

from __future__ import annotations

from typing import Any

from setbench.bench.records.record import Status
from setbench.bench.scaling.plan import Series
from setbench.bench.scaling.points import Point, Setup, Timed
from setbench.models.catalogue import parse

SETUP = Setup(
    cpu="a made-up processor",
    cores=2,
    memory_gb=8,
    platform="Linux",
    device="cpu",
    threads=1,
    torch="2.0",
    features=4,
    width=64,
    latent=64,
)


def series(encoder: str, batch: int = 32) -> Series:
    return Series(parse(encoder, ("encoder",)), batch)


def point(
    one: Series, size: int, step_ms: float | None, memory_mb: float = 1.0, pages: int = 0, **changes: Any
) -> Point:
    """A timed point, whose forward takes a third of the step; without a time, one that raised."""
    timed = None
    if step_ms is not None:
        timed = Timed(
            forward_ms=step_ms / 3,
            step_ms=step_ms,
            memory_mb=memory_mb,
            repeats=5,
            forward_pages=0,
            step_pages=pages,
            reference_ms=3.0,
        )
    facts: dict[str, Any] = {
        "encoder": one.model.name,
        "options": dict(one.model.options),
        "batch": one.batch,
        "size": size,
        "status": Status.OK if timed else Status.FAILED,
        "reason": "" if timed else "RuntimeError: a made-up error",
        "timed": timed,
        "seconds": 1.0,
        "code": one.code,
        "commit": "abc",
        "finished": "2026-01-01T00:00:00+00:00",
    }
    return Point(**{**facts, **changes})
