"""What runs inside a point's process: one encoder at one batch and set size, timed. The forkserver preloads this."""

from __future__ import annotations

import resource
import statistics
import time
from collections.abc import Callable
from typing import Any

import torch

from setbench.bench.cell.measure import PeakMemory, matmul_seconds, synchronize
from setbench.bench.cell.quiet import QuietMachine
from setbench.bench.scaling.plan import FEATURES, LATENT, PLACES, STEP_SECONDS, WIDTH
from setbench.bench.scaling.points import Timed
from setbench.models.catalogue import parse
from setbench.specs import SetSpec

SECONDS, LEAST, MOST = 0.3, 3, 25
"""Timed calls go on until they have taken so long, but are at least and at most so many."""


def median_within(work: Callable[[], Any], device: torch.device) -> tuple[float, int, int]:
    """Median seconds of a call after a warm-up, of how many, and the fresh pages of the last; a call that is over a
    step's budget is timed once."""
    times: list[float] = []
    while True:
        synchronize(device)
        pages = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
        start = time.perf_counter()
        work()
        synchronize(device)
        times.append(time.perf_counter() - start)
        timed = times[1:]  # the first is the warm-up
        if max(times) > STEP_SECONDS or len(timed) == MOST or (sum(timed) > SECONDS and len(timed) >= LEAST):
            pages = resource.getrusage(resource.RUSAGE_SELF).ru_minflt - pages
            return statistics.median(timed or times), len(timed or times), pages


def measure(encoder: str, batch: int, size: int, device: str, watch: Any) -> Timed:
    """Time and memory of an encoder on full sets of random elements.

    The training step lowers the mean square of the codes: what a head would add does not depend on the set's size.
    """
    place = torch.device(device)
    with QuietMachine().timing():
        reference = matmul_seconds(place, LEAST)
        memory = PeakMemory(place)
        torch.manual_seed(0)
        spec = parse(encoder, ("encoder",))
        model = spec.entry.load()(SetSpec(FEATURES, size, PLACES), LATENT, WIDTH, **spec.options).to(place)
        elements = torch.randn(batch, size, FEATURES, device=place)
        mask = torch.ones(batch, size, dtype=torch.bool, device=place)
        optimiser = torch.optim.Adam(model.parameters(), fused=True)

        def forward() -> None:
            with torch.no_grad():
                model(elements, mask)

        def step() -> None:
            optimiser.zero_grad()
            model(elements, mask).square().mean().backward()
            optimiser.step()

        model.eval()
        forward_seconds, _, forward_pages = median_within(forward, place)
        model.train()
        step_seconds, repeats, step_pages = median_within(step, place)
    return Timed(
        forward_ms=1000 * forward_seconds,
        step_ms=1000 * step_seconds,
        memory_mb=memory.megabytes(),
        repeats=repeats,
        forward_pages=forward_pages,
        step_pages=step_pages,
        reference_ms=1000 * reference,
        gpu=torch.cuda.get_device_name(place) if place.type == "cuda" else None,
    )
