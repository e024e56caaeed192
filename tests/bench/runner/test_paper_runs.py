"""What the paper presets run, and what --dry-run says of how long it takes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from setbench.bench.plan.estimate import STEPS, step_key
from setbench.bench.runner.driver import Run
from setbench.bench.runner.listing import plan_text
from setbench.bench.runner.options import Options
from setbench.options import UnknownName
from setbench.tasks.catalogue import TASKS

UNPUBLISHED = ["rotated_square", "set_digits", "set_mnist_classes", "set_digits_classes"]


def run(folder: Path, **values: Any) -> Run:
    return Run(Options(**{"preset": "paper", "device": "cpu", "results": folder, "cache": folder, **values}))


def tasks(run: Run) -> set[str]:
    return {cell.task for cell in run.cells}


@pytest.mark.parametrize("preset", ["paper", "paper_code"])
def test_tasks_without_published_rows_run_where_models_are_named(tmp_path: Path, preset: str) -> None:
    assert tasks(run(tmp_path, preset=preset)) == set(TASKS) - set(UNPUBLISHED)
    assert tasks(run(tmp_path, preset=preset, models=["fspool"])) == set(TASKS)
    rows = [cell.row for cell in run(tmp_path, preset=preset, tasks=["set_digits"], models=["fspool"]).cells]
    assert rows == ["best constant", "fspool + mlp", "fspool + lstm", "fspool + dspn:step=paper"]


@pytest.mark.parametrize("task", UNPUBLISHED)
def test_else_they_are_refused_in_one_line(tmp_path: Path, task: str) -> None:
    with pytest.raises(UnknownName) as refused:
        run(tmp_path, tasks=["clevr_state", task])
    line = f"--tasks {task}: the paper preset has no published rows on it; name some with --models"
    assert str(refused.value) == line


def test_the_time_of_a_published_row_is_a_timed_step_times_its_steps(tmp_path: Path) -> None:
    planned = run(tmp_path, tasks=["arithmetic_sum"])
    steps, reference = json.loads(STEPS.read_text(encoding="utf-8")), planned.estimate.reference
    for cell in planned.cells:
        expected = None if cell.constant else steps[step_key(cell)] * reference * cell.settings.steps
        assert planned.estimate.cell(cell) == pytest.approx(expected)
    text = " ".join(plan_text(planned).split())  # whatever the width
    assert "10 of them by one timed step (steps.json) times their steps: training alone" in text
    assert ": at least " in text
    assert "how long 1 of them take is unknown" in text
    assert "10 of them keep a checkpoint every 60 s" in text


@pytest.mark.parametrize(
    ("values", "work"),
    [
        ({"threads": 2}, "  unknown"),
        ({"set": {"width": 31}}, "  unknown"),
        ({"models": ["set_transformer"]}, ", 2 unknown"),  # the plain decoders are those that were timed
    ],
)
def test_of_any_other_row_nothing_is_known(tmp_path: Path, values: dict[str, Any], work: str) -> None:
    text = plan_text(run(tmp_path, tasks=["clevr_state"], **values))
    planned = [line for line in text.splitlines() if line.startswith("clevr_state ")]
    assert len(planned) == 1
    assert planned[0].endswith(work)
    assert "unknown: how long it takes to prepare the data of clevr_state" in text
