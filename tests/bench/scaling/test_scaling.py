"""The whole of --scaling: points in processes of their own, endings with reasons, nothing measured twice."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import pytest

from setbench.bench.records.record import Status
from setbench.bench.runner import command
from setbench.bench.runner.options import Options
from setbench.bench.scaling import run
from setbench.bench.scaling.points import Point, Points
from setbench.bench.scaling.run import Scaling

pytestmark = pytest.mark.usefixtures("forkserver")


def scaling(folder: Path, *models: str, largest: int = 32, **more: Any) -> Scaling:
    return Scaling(Options(results=folder, models=list(models), device="cpu", **more), {}, largest)


def found(one: Scaling) -> dict[tuple[str, int, int], Point]:
    """The points as they lie on the disk."""
    return Points(one.points.folder, one.points.setup, print).found


@pytest.fixture
def added(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int, int]]:
    """What is measured, as it is kept."""
    keys: list[tuple[str, int, int]] = []
    add = Points.add

    def noting(points: Points, point: Point) -> None:
        keys.append(point.key)
        add(points, point)

    monkeypatch.setattr(Points, "add", noting)
    return keys


def test_end_to_end_and_nothing_is_measured_twice(
    tmp_path: Path, added: list[tuple[str, int, int]], capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--results", str(tmp_path), "--device", "cpu", "--scaling"]
    assert command.main([*words, "16", "--models", "deep_sets", "pi_sgd"]) == 0
    assert added == [(name, batch, size) for name in ("deep_sets", "pi_sgd") for batch in (1, 32) for size in (8, 16)]
    assert str(tmp_path / "scaling" / "scaling.md") in capsys.readouterr().out
    added.clear()
    assert scaling(tmp_path, "deep_sets", "pi_sgd", largest=16).execute()
    assert added == []
    assert scaling(tmp_path, "deep_sets").execute()
    assert added == [("deep_sets", batch, 32) for batch in (1, 32)]
    lines = list(csv.DictReader((tmp_path / "scaling" / "scaling.csv").read_text().splitlines()))
    assert [(line["encoder"], line["batch"], line["size"]) for line in lines] == [
        (name, batch, size) for name in ("deep_sets", "pi_sgd") for batch in ("1", "32") for size in ("8", "16")
    ]
    for line in lines:
        assert 0 < float(line["forward_ms"]) < float(line["step_ms"])
        assert float(line["memory_mb"]) > 0
    assert (tmp_path / "scaling" / "figures" / "permuting.png").stat().st_size > 10_000


@pytest.mark.usefixtures("fakes")
def test_an_encoder_that_ends_badly_ends_its_own_series_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "BATCHES", (1,))
    monkeypatch.setattr(run, "POINT_SECONDS", 4.0)
    one = scaling(tmp_path, "raising", "endless", "slow_when_large", "hungry_when_large", "deep_sets", largest=32)
    assert not one.execute()  # one raised
    points = found(one)
    ends = {key[0]: (point.size, point.status) for key, point in points.items()}
    assert ends == {
        "raising": (8, Status.FAILED),
        "endless": (8, Status.TIMED_OUT),
        "slow_when_large": (16, Status.OK),
        "hungry_when_large": (16, Status.OUT_OF_MEMORY),
        "deep_sets": (32, Status.OK),
    }
    why = {series.model.name: series.next(points, one.sizes)[1] for series in one.series}
    assert why["raising"] == "failed at 8: RuntimeError: a made-up error"
    assert why["endless"] == "timed_out at 8: stopped at the limit of 4 s"
    assert "s a step at 16 are over the budget of 2 s a step" in why["slow_when_large"]
    assert why["hungry_when_large"].startswith("out_of_memory at 16: the memory limit of a cell was reached")
    assert why["deep_sets"] == ""
    again = scaling(tmp_path, "raising", retry_failed=True)
    again.execute()
    assert len((tmp_path / "scaling" / "points.jsonl").read_text().splitlines()) == len(points) + 1


def test_an_interruption_loses_no_point(
    tmp_path: Path, added: list[tuple[str, int, int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    counting = Scaling._jobs

    def stopped(one: Scaling) -> Any:
        for job in counting(one):
            if len(added) == 3:
                raise KeyboardInterrupt
            yield job

    monkeypatch.setattr(Scaling, "_jobs", stopped)
    monkeypatch.setattr("setbench.bench.scaling.figure.growth_figure", lambda *_: None)
    words = ["--scaling", "32", "--models", "deep_sets", "--results", str(tmp_path), "--device", "cpu"]
    assert command.main(words) == command.EXIT_INTERRUPTED
    assert added == [("deep_sets", 1, size) for size in (8, 16, 32)]
    assert "not measured from 64 on" in (tmp_path / "scaling" / "scaling.md").read_text()  # of the larger batch: 8
    monkeypatch.undo()
    one = scaling(tmp_path, "deep_sets")
    before = found(one)
    assert one.execute()
    assert len(found(one)) == 6
    assert before.items() <= found(one).items()


def test_points_of_other_code_are_named_and_measured_again_if_asked(tmp_path: Path) -> None:
    one = scaling(tmp_path, "deep_sets", largest=8)
    assert one.execute()
    key = ("deep_sets", 1, 8)
    one.points.add(found(one)[key].model_copy(update={"code": "older"}))
    assert "measured by other code than there is now (--rerun measures again): deep_sets" in one.report()[0].read_text()
    assert scaling(tmp_path, "deep_sets", largest=8).execute()
    assert found(one)[key].code == "older"
    assert scaling(tmp_path, "deep_sets", largest=8, rerun=True).execute()
    assert found(one)[key].code == one.series[0].code
