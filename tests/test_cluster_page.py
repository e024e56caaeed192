"""docs/cluster.md says what there is: how many cells there are, costs that follow from what was measured."""

from __future__ import annotations

import re
from pathlib import Path

from setbench.bench.plan.presets import load
from setbench.bench.runner.driver import Run
from setbench.bench.runner.options import Options

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "cluster.md").read_text(encoding="utf-8")


def test_the_cells_are_counted() -> None:
    run = Run(Options(preset="paper", seeds=(0, 1, 2), device="cpu", results=Path("nowhere")))
    assert f"under three seeds {sum(not cell.blocked for cell in run.cells):,} cells that can run" in PAGE


def test_costs_are_measured_steps_times_the_presets() -> None:
    text = (ROOT / "results" / "timing" / "published_step.txt").read_text(encoding="utf-8")
    measured = re.findall(r"^(\w+) +(mlp|lstm|dspn) +([\d.]+)", text, re.MULTILINE)
    rows = re.findall(r"^\| (\w+) \| (\w+) \| \S+ \| ([\d.]+) \| ([\d,]+) \| ([\d.]+) \|$", PAGE, re.MULTILINE)
    assert len(measured) == len(rows) == 9
    for (task, decoder, seconds), row in zip(measured, rows, strict=True):
        steps = load("paper").settings(task, "")[0].steps
        assert row == (task, decoder, seconds, f"{steps:,}", f"{float(seconds) * steps / 3600:.1f}")
