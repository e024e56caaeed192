"""Two results folders are the same, or the difference is named."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from setbench.bench.maintenance.same_results import main

RECORD = {
    "task": "sum",
    "row": "deep_sets",
    "seed": 0,
    "split": "test",
    "status": "ok",
    "metrics": {"": {"accuracy": 12.5}},
    "curve": {"step": [1], "loss": [0.5]},
    "time": {"train": 1.0},
}


def folder(path: Path, *records: dict[str, Any]) -> str:
    (path / "records").mkdir(parents=True)
    for number, record in enumerate(records):
        (path / "records" / f"{number}.json").write_text(json.dumps(record))
    return str(path)


def test_times_are_no_difference(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = folder(tmp_path / "before", RECORD)
    after = folder(tmp_path / "after", {**RECORD, "time": {"train": 2.0}, "finished": "later"})
    assert main([before, after]) == 0
    assert "1 cells found the same" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"metrics": {"": {"accuracy": 12.500000000000002}}}, "metrics"),  # the last bit
        ({"curve": {"step": [1], "loss": [0.25]}}, "curve"),
        ({"status": "failed"}, "status"),
        ({"invariance": {"mean": 0.0}}, "invariance"),
        ({"seed": 1}, "only after"),
    ],
)
def test_a_difference_is_named(
    change: dict[str, Any], named: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before, after = folder(tmp_path / "before", RECORD), folder(tmp_path / "after", {**RECORD, **change})
    assert main([before, after]) == 1
    assert named in capsys.readouterr().out


def test_nothing_is_not_the_same(tmp_path: Path) -> None:
    assert main([folder(tmp_path / "before"), folder(tmp_path / "after")]) == 1
