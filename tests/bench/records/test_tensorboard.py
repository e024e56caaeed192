"""What is logged is what the record says, read back by TensorBoard's own reader."""

from pathlib import Path

import pytest
from records_for_tests import made
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from setbench.bench.records import tensorboard
from setbench.bench.records.record import Curve, Record
from setbench.bench.runner.command import main


def recorded() -> Record:
    record = made(score=12.5, row="fspool + dspn:steps=5", settings={"learning_rate": 0.01, "steps": 20, "batch": 4})
    assert record.measured is not None
    curve = Curve(
        step=[10, 20],
        loss=[1.5, None],
        validation_step=[5, 20],
        validation_seconds=[0.5, 2.0],
        validation_score=[3.25, 9.0],
    )
    metrics = {"": {"accuracy": 12.5}, "T=10": {"accuracy": 11.0}}
    return record.model_copy(
        update={"measured": record.measured.model_copy(update={"curve": curve, "metrics": metrics})}
    )


def scalars(folder: Path) -> dict[str, list[tuple[int, float]]]:
    events = EventAccumulator(str(folder)).Reload()
    return {tag: [(one.step, one.value) for one in events.Scalars(tag)] for tag in events.Tags()["scalars"]}


def test_a_record_comes_back(tmp_path: Path) -> None:
    folder = tensorboard.log(recorded(), tmp_path)
    assert folder is not None
    found = scalars(folder)
    assert found["loss"] == [(10, 1.5)]  # the other was no finite number
    assert found["validation/accuracy"] == [(5, 3.25), (20, 9.0)]
    assert found["train_seconds"] == [(5, 0.5), (20, 2.0)]
    assert found["test/accuracy"] == [(20, 12.5)]
    assert found["test/accuracy/T_10"] == [(20, 11.0)]
    assert scalars(folder / "hparams")["headline/accuracy"][-1][1] == 12.5
    summary = EventAccumulator(str(folder / "hparams")).Reload().SummaryMetadata("_hparams_/session_start_info")
    for name in (b"fspool + dspn:steps=5", b"learning_rate", b"batch"):
        assert name in summary.plugin_data.content
    before = sorted(path.name for path in folder.iterdir())
    assert tensorboard.log(recorded(), tmp_path) == folder
    assert sorted(path.name for path in folder.iterdir()) == before  # nothing is logged twice


def test_a_cell_without_a_result_is_not_logged(tmp_path: Path) -> None:
    assert tensorboard.log(made(), tmp_path) is None
    assert not list(tmp_path.iterdir())


def test_a_run_logs_its_cells(tmp_path: Path) -> None:
    words = ["--tasks", "arithmetic_sum", "--models", "deep_sets", "--preset", "smoke", "--tensorboard"]
    assert main([*words, "--results", str(tmp_path / "results"), "--cache", str(tmp_path / "cache")]) == 0
    (folder,) = (tmp_path / "results" / "tensorboard" / "arithmetic_sum" / "deep_sets").iterdir()
    assert "test/accuracy" in scalars(folder)


def test_without_the_package_nothing_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(tensorboard, "find_spec", lambda name: None)
    assert main(["--tensorboard", "--tasks", "arithmetic_sum", "--results", str(tmp_path / "results")]) == 2
    error = capsys.readouterr().err
    assert "pip install 'setbench[tensorboard]'" in error
    assert error.count("\n") == 1
    assert not (tmp_path / "results").exists()
