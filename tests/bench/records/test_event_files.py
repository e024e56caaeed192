"""What TensorBoard's own reader finds in the files made of records, and what is said where it is not installed."""

from __future__ import annotations

import math
import sys
from pathlib import Path
from typing import Any

import pytest
from records_for_tests import made
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.plugins.hparams.metadata import SESSION_START_INFO_TAG, parse_session_start_info_plugin_data

from setbench.bench.records.event_files import log, run_name
from setbench.bench.records.record import Curve, Invariance, Record, Status, Timing
from setbench.bench.runner.command import main

FINISHED = 1_767_225_600.0
"""2026-01-01T00:00:00+00:00"""
CURVE = Curve(
    step=[50, 100, 150, 200],
    loss=[3.0, 2.0, None, 1.0],
    validation_step=[100, 200],
    validation_seconds=[4.0, 6.0],
    validation_score=[30.0, 60.0],
)
TIME = Timing(
    wall=20.0, train=6.0, evaluate=1.0, rest=1.0, reference_ms=2.0, latency_ms=1.5, latency_batch=8, throughput=9.0
)


def record(**changes: Any) -> Record:
    whole = made(
        score=62.5,
        finished="2026-01-01T00:00:00+00:00",
        id="0123456789abcdef",
        settings={"learning_rate": 0.01, "steps": 200, "ema": False, "sizes": {"train": 1000}, "milestones": [1, 2]},
        options={"encoder": {"pieces": 20}},
        **changes,
    )
    assert whole.measured is not None
    facts = {
        "metrics": {"": {"accuracy": 62.5, "spread": None}, "T=5": {"accuracy": 40.0}},
        "curve": CURVE,
        "time": TIME,
        "parameters": 1234,
        "invariance": Invariance(max64=2e-15),
    }
    return whole.model_copy(update={"measured": whole.measured.model_copy(update=facts)})


def events(folder: Path) -> EventAccumulator:
    found = EventAccumulator(str(folder))
    found.Reload()
    return found


def scalars(folder: Path, tag: str) -> list[tuple[int, float]]:
    return [(event.step, event.value) for event in events(folder).Scalars(tag)]


def test_the_curves_and_the_seconds_of_training(tmp_path: Path) -> None:
    log(record(), tmp_path)
    folder = tmp_path / "tensorboard" / "arithmetic_sum" / "deep_sets" / "seed 0, 01234567"
    found = events(folder)
    assert found.FirstEventTimestamp() == FINISHED - 20.0
    loss = found.Scalars("loss")
    assert [event.step for event in loss] == [50, 100, 150, 200]
    assert [event.value for event in loss][:2] == [3.0, 2.0]
    assert math.isnan(loss[2].value)
    assert [event.wall_time - (FINISHED - 20.0) for event in loss] == [2.0, 4.0, 5.0, 6.0]
    validation = found.Scalars("validation/accuracy")
    assert [(event.step, event.value) for event in validation] == [(100, 30.0), (200, 60.0)]
    assert [event.wall_time - (FINISHED - 20.0) for event in validation] == [4.0, 6.0]


def test_the_final_figures_stand_at_the_last_step(tmp_path: Path) -> None:
    log(record(), tmp_path)
    folder = tmp_path / "tensorboard" / run_name(record())
    assert scalars(folder, "test/accuracy") == [(200, 62.5)]
    assert scalars(folder, "test T=5/accuracy") == [(200, 40.0)]
    assert math.isnan(scalars(folder, "test/spread")[0][1])
    costs = {"train_seconds": 6.0, "latency_ms": 1.5, "parameters": 1234.0, "invariance_error": 2e-15}
    for name, value in costs.items():
        assert scalars(folder, f"cost/{name}") == [(200, pytest.approx(value))]
    tags = events(folder).Tags()["scalars"]
    assert len(tags) == 2 + 3 + len(costs)
    assert "cost/peak_memory_mb" not in tags


def test_the_settings_are_hyperparameters(tmp_path: Path) -> None:
    log(record(), tmp_path)
    found = events(tmp_path / "tensorboard" / run_name(record()))
    about = found.SummaryMetadata(SESSION_START_INFO_TAG).plugin_data.content
    values = parse_session_start_info_plugin_data(about).hparams
    read = {name: getattr(value, value.WhichOneof("kind")) for name, value in values.items()}
    words = {"task": "arithmetic_sum", "row": "deep_sets", "preset": "smoke", "device": "cpu", "precision": "float32"}
    numbers = {"seed": 0, "threads": 1, "learning_rate": 0.01, "steps": 200, "sizes.train": 1000, "encoder.pieces": 20}
    assert read == {**words, **numbers, "ema": False}
    assert read["ema"] is False


def test_a_cell_that_is_run_again_has_one_curve(tmp_path: Path) -> None:
    log(record(), tmp_path)
    (first,) = (tmp_path / "tensorboard").rglob("*tfevents*")
    stamp = first.stat().st_mtime_ns
    log(record(), tmp_path)
    assert first.stat().st_mtime_ns == stamp
    later = record().model_copy(update={"finished": "2026-01-02T00:00:00+00:00"})
    log(later, tmp_path)
    (second,) = (tmp_path / "tensorboard").rglob("*tfevents*")
    assert second.parent == first.parent
    assert second != first


def test_cells_apart_and_names_that_are_no_paths(tmp_path: Path) -> None:
    assert run_name(record()) != run_name(record().model_copy(update={"id": "fedcba9876543210"}))
    for bad in ("../../etc", "..", "/etc", "a/b"):
        name = run_name(record().model_copy(update={"task": bad, "row": bad}))
        assert len(name.split("/")) == 3
        assert not any(part.startswith(".") for part in name.split("/"))


def test_a_cell_without_result_leaves_nothing(tmp_path: Path) -> None:
    log(made(status=Status.TIMED_OUT, finished="2026-01-01T00:00:00+00:00"), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_without_the_package_one_line_before_anything_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "tensorboard", None)
    assert main(["--preset", "smoke", "--tensorboard", "--results", str(tmp_path / "results")]) == 2
    error = capsys.readouterr().err
    assert "--tensorboard: TensorBoard is not installed; pip install 'setbench[tensorboard]'" in error
    assert error.count("\n") == 1
    assert not (tmp_path / "results").exists()
