"""Tuning: the same few trials for every row, on the validation split, and what is written down."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from runs_for_tests import options

from setbench.bench.plan import presets
from setbench.bench.plan.cells import Request, plan
from setbench.bench.plan.presets import load
from setbench.bench.runner.driver import Run
from setbench.bench.runner.tune import GRID, best, trials, tune


def test_every_row_has_the_same_trials_and_none_sees_the_test_split() -> None:
    preset = load("quick")
    asked = Request(
        ["arithmetic_variance"], ["deep_sets", "raw_mlp", "janossy:k=N"], [], (0, 1, 2), preset, "cpu", None
    )
    made = trials(plan(asked), preset)
    rate = preset.settings("arithmetic_variance", "")[0].learning_rate
    assert [cell.row for cell in made] == ["deep_sets"] * 3 + ["raw_mlp"] * 3  # one is out of reach: no trials
    assert [cell.settings.learning_rate for cell in made] == pytest.approx([rate / 3, rate, 3 * rate] * 2, rel=1e-2)
    assert {cell.split for cell in made} == {"validation"}
    assert {cell.seed for cell in made} == {0}
    first = plan(asked)[1].settings
    assert all(replace(cell.settings, learning_rate=first.learning_rate) == first for cell in made)


def trial(row: str, rate: float, value: float | None, higher: bool = True, status: str = "ok") -> dict[str, Any]:
    return {
        "task": "t",
        "row": row,
        "status": status,
        "headline": {"metric": "m", "variant": "v"},
        "metrics": {"v": {"m": value}},
        "metric_info": {"m": {"higher_is_better": higher}},
        "settings": {"learning_rate": rate},
    }


def test_the_best_headline_wins_and_what_failed_never_does() -> None:
    records = [
        trial("up", 0.1, 10.0),
        trial("up", 0.2, 30.0),
        trial("up", 0.3, 20.0),
        trial("down", 0.1, 10.0, higher=False),
        trial("down", 0.2, 30.0, higher=False),
        trial("spoiled", 0.1, 1.0),
        trial("spoiled", 0.2, float("nan")),
        trial("spoiled", 0.3, None),
        trial("spoiled", 0.4, 99.0, status="diverged"),
        trial("hopeless", 0.1, None),
    ]
    assert best(records) == {"t": {"up": 0.2, "down": 0.1, "spoiled": 0.1}}


@pytest.mark.usefixtures("forkserver")
def test_choices_are_written_beside_the_preset_and_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Choices for other rows and tasks stay, with how they were made; the command may hold quotes."""
    path = tmp_path / "smoke.toml"
    for module in ("setbench.bench.runner.tune", "setbench.bench.plan.presets"):
        monkeypatch.setattr(f"{module}.tuned_file", lambda preset: path)
    path.write_text(
        '[arithmetic_sum]\n"raw_mlp" = { learning_rate = 0.5, how = "before" }\n'
        '[set_digits]\n"fspool + dspn" = { learning_rate = 0.25, how = "before" }\n'
    )
    asked = {"tasks": ["arithmetic_sum"], "models": ["deep_sets"], "decoders": []}
    made = Run(options(tmp_path, **asked, command='run_all.py "quoted" \\ --tune'))
    assert tune(made) == 0
    assert len(made.results()) == len(GRID)
    written = tomllib.loads(path.read_text())
    chosen = written["arithmetic_sum"].pop("deep_sets")
    assert chosen["learning_rate"] == best(made.results())["arithmetic_sum"]["deep_sets"]
    assert written == {
        "arithmetic_sum": {"raw_mlp": {"learning_rate": 0.5, "how": "before"}},
        "set_digits": {"fspool + dspn": {"learning_rate": 0.25, "how": "before"}},
    }
    assert 'run_all.py "quoted" \\ --tune' in chosen["how"]
    settings, how = presets.load("smoke").settings("arithmetic_sum", "deep_sets")
    assert settings.learning_rate == chosen["learning_rate"]
    assert how == chosen["how"]
