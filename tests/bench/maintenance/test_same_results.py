"""Two results folders are the same, or the difference is named."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from setbench.bench.maintenance.same_results import main
from setbench.bench.records.record import Record

FIRST = Path(__file__).parents[1] / "records" / "schema1" / "set_digits-deep_sets-ok.json"
RECORD = json.loads(Record.parse(FIRST.read_bytes()).json_text())
OSPA = RECORD["measured"]["metrics"][""]["ospa"]


def folder(path: Path, *records: dict[str, Any]) -> str:
    (path / "records").mkdir(parents=True)
    for record in records:
        (path / "records" / f"{record['id']}.json").write_text(json.dumps(record))
    return str(path)


def changed(**changes: Any) -> dict[str, Any]:
    """The record with values at dotted places, written with two underscores."""
    record = copy.deepcopy(RECORD)
    for place, value in changes.items():
        *parts, last = place.split("__")
        home = record
        for part in parts:
            home = home[part]
        home[last] = value
    return record


def test_times_are_no_difference(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = folder(tmp_path / "before", RECORD)
    after = folder(tmp_path / "after", changed(measured__time__train=2.0, finished="later", seconds=9.0))
    assert main([before, after]) == 0
    assert "1 cells found the same" in capsys.readouterr().out


def test_an_older_schema_is_no_difference(tmp_path: Path) -> None:
    before = folder(tmp_path / "before", json.loads(FIRST.read_text()))
    assert main([before, folder(tmp_path / "after", RECORD)]) == 0


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"measured__metrics": {"": {"ospa": OSPA * (1 + 2**-52)}}}, "metrics"),  # the last bit
        ({"measured__curve": {"step": [1], "loss": [0.25]}}, "curve"),
        ({"status": "failed", "measured": None}, "status"),
        ({"measured__invariance__mean": 0.0}, "invariance"),
        ({"measured__parameters": 1}, "parameters"),
        ({"seed": 1}, "only after"),
    ],
)
def test_a_difference_is_named(
    change: dict[str, Any], named: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before, after = folder(tmp_path / "before", RECORD), folder(tmp_path / "after", changed(**change))
    assert main([before, after]) == 1
    assert named in capsys.readouterr().out


def test_nothing_is_not_the_same(tmp_path: Path) -> None:
    assert main([folder(tmp_path / "before"), folder(tmp_path / "after")]) == 1
