"""What a run costs besides its cells: planning 10,000 of them, reading 10,000 records, making tables of them.

In seconds of the processor, of which each is to take under five: see docs/timing.md."""

from __future__ import annotations

import shutil
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from setbench.bench.records.store import Store
from setbench.bench.report import write_report
from setbench.bench.runner.listing import plan_text

sys.path.insert(0, str(Path(__file__).parent))  # tests are no package
from many_records import CELLS, whole_cross, write_records

pytestmark = pytest.mark.benchmark(group="10,000 cells", timer=time.process_time)


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("results")
    write_records(folder)
    return folder


def test_plan(benchmark: Any, tmp_path: Path) -> None:
    text = benchmark.pedantic(lambda: plan_text(whole_cross(tmp_path)), rounds=3)
    assert "cells to run, 1 at a time" in text


def test_read(benchmark: Any, results: Path) -> None:
    records = benchmark.pedantic(lambda: Store(results, print).all(), rounds=3)
    assert len(records) == CELLS


def test_tables(benchmark: Any, results: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without figures, which are drawn where their records have changed alone."""
    monkeypatch.setattr("setbench.bench.report.write._plan", lambda *given: [])
    records = Store(results, print).all()
    written = benchmark.pedantic(lambda: write_report(records, results), rounds=3)
    assert [path.name for path in written] == ["leaderboard.csv", "leaderboard.md", "leaderboard.html"]


def test_report_again(benchmark: Any, results: Path) -> None:
    """With figures that are there already."""
    records = Store(results, print).all()
    write_report(records, results)
    benchmark.pedantic(lambda: write_report(records, results), rounds=3)
    shutil.rmtree(results / "figures")
