"""Tuning: the same few trials for every row, on the validation split, and what is written down."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from records_for_tests import made
from runs_for_tests import options

from setbench.bench.plan.cells import Request, asked_tasks, plan
from setbench.bench.plan.presets import SETTINGS, load
from setbench.bench.records.record import MetricInfo, Record, Status
from setbench.bench.runner.driver import Run
from setbench.bench.runner.tune import GRID, best, preset_text, trials, tune


def test_every_row_has_the_same_trials_and_none_sees_the_test_split() -> None:
    preset = load("quick")
    asked = Request(
        asked_tasks(["arithmetic_variance"]),
        ["deep_sets", "raw_mlp", "janossy:k=N"],
        [],
        (0, 1, 2),
        preset,
        "cpu",
        None,
    )
    grid = trials(plan(asked), preset)
    rate = preset.settings("arithmetic_variance", "")[0].learning_rate
    assert [cell.row for cell in grid] == ["deep_sets"] * 3 + ["raw_mlp"] * 3  # one is out of reach: no trials
    assert [cell.settings.learning_rate for cell in grid] == pytest.approx([rate / 3, rate, 3 * rate] * 2, rel=1e-2)
    assert {cell.split for cell in grid} == {"validation"}
    assert {cell.seed for cell in grid} == {0}
    first = plan(asked)[1].settings
    assert all(replace(cell.settings, learning_rate=first.learning_rate) == first for cell in grid)


def trial(row: str, rate: float, value: float | None, higher: bool = True) -> Record:
    """A trial that ended well; without a value, its score was no finite number."""
    record = made(task="t", row=row, score=0.0, settings={"learning_rate": rate})
    info = MetricInfo(unit="", higher_is_better=higher, meaning="")
    assert record.measured is not None
    measured = record.measured.model_copy(
        update={"metrics": {"": {"accuracy": value}}, "metric_info": {"accuracy": info}}
    )
    return record.model_copy(update={"measured": measured})


def test_the_best_headline_wins_and_what_failed_never_does() -> None:
    records = [
        trial("up", 0.1, 10.0),
        trial("up", 0.2, 30.0),
        trial("up", 0.3, 20.0),
        trial("down", 0.1, 10.0, higher=False),
        trial("down", 0.2, 30.0, higher=False),
        trial("spoiled", 0.1, 1.0),
        trial("spoiled", 0.3, None),
        made(task="t", row="spoiled", status=Status.DIVERGED, settings={"learning_rate": 0.4}),
        trial("hopeless", 0.1, None),
    ]
    assert best(records) == {"t": {"up": 0.2, "down": 0.1, "spoiled": 0.1}}


@pytest.mark.usefixtures("forkserver")
def test_choices_are_written_beside_the_results_and_run_as_a_preset(tmp_path: Path) -> None:
    """The package stays as it was; rates of other rows are those that it ships; the command may hold quotes."""
    shipped = {path: path.stat().st_mtime_ns for path in SETTINGS.rglob("*")}
    asked = {"tasks": ["arithmetic_sum"], "models": ["deep_sets"], "decoders": []}
    run = Run(options(tmp_path, **asked, command='run_all.py "quoted" \\ --tune'))
    assert tune(run) == 0
    assert len(run.results()) == len(GRID)
    assert {path: path.stat().st_mtime_ns for path in SETTINGS.rglob("*")} == shipped
    preset = load(str(run.options.results / "tuned.toml"))
    settings, how = preset.settings("arithmetic_sum", "deep_sets")
    assert settings.learning_rate == best(run.results())["arithmetic_sum"]["deep_sets"]
    assert 'run_all.py "quoted" \\ --tune' in how
    assert preset.settings("arithmetic_sum", "raw_mlp") == load("smoke").settings("arithmetic_sum", "raw_mlp")


def test_tuned_rates_stand_beside_those_of_the_preset_that_they_extend(tmp_path: Path) -> None:
    path = tmp_path / "tuned.toml"
    path.write_text(preset_text("quick", {"set_mnist_classes": {"some row": 0.5}}, "how"))
    preset = load(str(path))
    assert preset.settings("set_mnist_classes", "some row")[0].learning_rate == 0.5
    assert preset.settings("set_mnist_classes", "deep_sets") == load("quick").settings("set_mnist_classes", "deep_sets")
