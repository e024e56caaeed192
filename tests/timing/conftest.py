"""How a benchmark is timed, so that 25 per cent can be told from noise: see docs/timing.md.

Asked for with ``--benchmark-only``, each is timed over many rounds in turns with a reference operation of its kind, by
the processor's time, which what else the machine does touches little. In any other run each works once, unclocked.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from setbench.bench.records.machine import cores, processor
from setbench.bench.runner.processes import keep_freed_memory

SECONDS = 0.8
"""Of processor time that a benchmark's rounds take, its reference's included."""

LEAST, WARMUP = 6, 2
"""Rounds at least, however long one takes; rounds before these, that do not count."""

FAST = 0.02
"""The quantile of both that counts: of the quickest rounds alone, which other machines on the same processor disturb
least. By the lower quartile the ratios of five short steps moved by 1.15 to 1.38 times within twelve runs, by this by
1.06 to 1.32 within six."""


def layers() -> Callable[[], object]:
    """Small layers there and back: bound, as models at these sizes are, by the launch of operations."""
    data, weight = torch.randn(320, 64), torch.randn(64, 64, requires_grad=True)

    def work() -> None:
        out = data
        for _ in range(12):
            out = (out @ weight / 8).tanh()
        out.sum().backward()

    return work


def arrays() -> Callable[[], object]:
    """Arithmetic on large arrays."""
    values = torch.rand(2**17)

    def work() -> None:
        out = values
        for _ in range(12):
            out = (out * out + 1).sqrt() - values

    return work


def objects() -> Callable[[], object]:
    """Python's own objects: a text written, read and sorted."""
    rows = [{"name": f"row {n}", "values": [n * k % 97 / 7 for k in range(12)]} for n in range(150)]
    return lambda: sorted(json.loads(json.dumps(rows)), key=lambda row: (row["values"][3], row["name"]))


REFERENCES = {"layers": layers, "arrays": arrays, "objects": objects}


def seconds(work: Callable[[], object]) -> float:
    """Of this process on the processor."""
    start = time.process_time()
    work()
    return time.process_time() - start


@pytest.fixture
def timed(benchmark: Any, request: pytest.FixtureRequest) -> Iterator[Callable[..., None]]:
    """``timed(work, reference="layers")``: times the work beside the reference operation of that kind, in rounds of so
    many calls that each takes as long as the reference. The table that pytest prints is of the rounds' wall clock; what
    compare.py reads is a low quantile of both processor times, a call's and the reference's."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    torch.manual_seed(0)

    def run(work: Callable[[], object], reference: str = "layers") -> None:
        if not request.config.getoption("benchmark_only"):
            benchmark.disabled = True
            benchmark.pedantic(work)
            return
        beside = REFERENCES[reference]()
        for _ in range(WARMUP):
            beside()
            work()
        usual, one = seconds(beside), seconds(work)
        calls = max(1, round(usual / one))

        def some() -> None:
            for _ in range(calls):
                work()

        rounds = max(LEAST, int(SECONDS / (usual + calls * one)))
        standard: list[float] = []
        spent: list[float] = []
        benchmark.pedantic(
            lambda: spent.append(seconds(some) / calls), setup=lambda: standard.append(seconds(beside)), rounds=rounds
        )
        benchmark.extra_info["reference"] = reference
        benchmark.extra_info["reference_seconds"] = float(np.quantile(standard, FAST))
        benchmark.extra_info["seconds"] = float(np.quantile(spent, FAST))

    yield run
    torch.set_num_threads(threads)


def pytest_configure(config: pytest.Config) -> None:
    """As in the process of a cell."""
    if config.getoption("benchmark_only"):
        keep_freed_memory()


def pytest_benchmark_update_machine_info(config: pytest.Config, machine_info: dict[str, Any]) -> None:
    """What a baseline is known by: the processor, its generation (virtual machines give it a name for many), how many
    cores, and torch's version without the patch."""
    generation = "-".join(str(machine_info["cpu"][name]) for name in ("family", "model") if name in machine_info["cpu"])
    version = ".".join(torch.__version__.split(".")[:2])
    machine_info["baseline"] = f"{processor()} {generation}, {cores()} cores, torch {version}"


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Ten thousand records are too many for an ordinary run."""
    asked = config.getoption("benchmark_only", False)
    return True if collection_path.name == "test_harness_speed.py" and not asked else None
