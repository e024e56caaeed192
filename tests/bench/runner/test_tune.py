"""Tuning: who is tuned, what is written down, and that it goes on where it was interrupted."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from runs_for_tests import options

from setbench.bench.plan.cells import Request, asked_tasks, plan
from setbench.bench.plan.presets import SETTINGS, load
from setbench.bench.runner.driver import Run
from setbench.bench.runner.listing import plan_text
from setbench.bench.runner.trials import chosen, read_trials
from setbench.bench.runner.tune import foresee, tune, tuned_rows


def test_every_row_that_can_run_is_tuned_around_the_presets_own_rate() -> None:
    preset = load("desk")
    preset = replace(preset, tuned={"arithmetic_variance": {"deep_sets": {"learning_rate": 0.5, "how": ""}}})
    asked = Request(
        asked_tasks(["arithmetic_variance"]), ["deep_sets", "raw_mlp", "janossy:k=N"], [], (0, 1), preset, "cpu", None
    )
    found = [(cell.row, rate) for cell, rate in tuned_rows(plan(asked), preset)]
    assert found == [("deep_sets", 0.001), ("raw_mlp", 0.001)]  # one is out of reach: no trials


def test_where_a_paradigm_shares_its_rates_one_of_its_rows_is_tuned() -> None:
    preset = load("sweep")
    asked = Request(asked_tasks(["arithmetic_sum", "set_digits"]), None, None, (0,), preset, "cpu", None)
    found = {(cell.task, cell.row) for cell, _ in tuned_rows(plan(asked), preset)}
    assert {row for task, row in found if task == "arithmetic_sum"} == set(preset.shared.values())
    digits = {row for task, row in found if task == "set_digits"}
    assert {f"{encoder} + dspn:steps=5" for encoder in preset.shared.values()} < digits
    assert not any("gatv2" in row for row in digits)


@pytest.mark.usefixtures("forkserver")
def test_choices_are_written_beside_the_results_and_run_as_a_preset(tmp_path: Path) -> None:
    """Eleven trials; the package stays as it was; the same command again runs none of them."""
    shipped = {path: path.stat().st_mtime_ns for path in SETTINGS.rglob("*")}
    asked = {"tasks": ["arithmetic_sum"], "models": ["deep_sets"], "decoders": []}
    foreseen = Run(options(tmp_path, **asked))
    foresee(foreseen)
    assert "\n11 cells to run, 1 at a time on cpu" in plan_text(foreseen)
    run = Run(options(tmp_path, **asked))
    assert tune(run) == 0
    folder = run.options.results
    trials = read_trials(folder / "trials.tsv")
    assert len(trials) == len(list((folder / "records").iterdir())) == 11
    assert {path: path.stat().st_mtime_ns for path in SETTINGS.rglob("*")} == shipped
    preset = load(str(folder / "tuned.toml"))
    settings, how = preset.settings("arithmetic_sum", "deep_sets")
    assert settings.learning_rate == chosen(trials)["arithmetic_sum"]["deep_sets"]
    assert "trials.tsv" in how
    assert preset.settings("arithmetic_sum", "raw_mlp") == load("smoke").settings("arithmetic_sum", "raw_mlp")
    again = Run(options(tmp_path, **asked))
    text = (folder / "tuned.toml").read_text()
    before = {path: path.stat().st_mtime_ns for path in (folder / "records").iterdir()}
    assert tune(again) == 0
    assert {path: path.stat().st_mtime_ns for path in (folder / "records").iterdir()} == before
    assert (folder / "tuned.toml").read_text() == text


@pytest.mark.usefixtures("forkserver")
def test_trials_of_other_code_are_not_gone_on_with(tmp_path: Path) -> None:
    """Where a row lacks trials and those that it has are of other code it is refused, and nothing is lost; --rerun
    makes all of them by one code. A row that is whole keeps its trials, whatever their code."""
    asked = {"tasks": ["arithmetic_sum"], "models": ["deep_sets"], "decoders": []}
    run = Run(options(tmp_path, **asked))
    assert tune(run) == 0
    records = sorted((run.options.results / "records").iterdir())
    for path in records:
        path.write_text(path.read_text().replace(json.loads(path.read_text())["code"], "0" * 16))
    assert tune(Run(options(tmp_path, **asked))) == 0  # whole: nothing to compare with
    records[0].unlink()
    with pytest.raises(ValueError, match=r"\d+ trials are of other code, the first of arithmetic_sum · deep_sets"):
        tune(Run(options(tmp_path, **asked)))
    assert len(list((run.options.results / "records").iterdir())) == 10
    assert tune(Run(options(tmp_path, rerun=True, **asked))) == 0
    (code,) = {one.code for one in read_trials(run.options.results / "trials.tsv")}
    assert code != "0" * 16
