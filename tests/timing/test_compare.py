"""The comparison of timings, on files made by hand."""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path
from types import ModuleType

import pytest


@pytest.fixture(scope="module")
def compare() -> ModuleType:
    spec = importlib.util.spec_from_file_location("compare_timings", Path(__file__).with_name("compare.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["compare_timings"] = module
    spec.loader.exec_module(module)
    return module


def written(path: Path, **medians: float) -> str:
    """A file as pytest-benchmark writes it, as far as it is read."""
    benchmarks = [
        {"name": name, "group": "g", "stats": {"median": median, "mean": 9.9, "data": [median]}}
        for name, median in medians.items()
    ]
    path.write_text(json.dumps({"machine_info": {"cpu": {"brand_raw": "made up"}}, "benchmarks": benchmarks}))
    return str(path)


def test_a_faster_machine_changes_nothing(
    compare: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = written(tmp_path / "a", test_reference=0.010, one=0.020, two=0.005)
    after = written(tmp_path / "b", test_reference=0.002, one=0.004, two=0.001)
    assert compare.main([before, after]) == 0
    assert "0 of 2 grew" in capsys.readouterr().out
    assert [change.growth for change in compare.changes(*map(compare.read, (tmp_path / "a", tmp_path / "b")))] == [
        pytest.approx(1.0),
        pytest.approx(1.0),
    ]


def test_what_has_grown_is_told(compare: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Ratios: one from 2 to 4, two from 0.5 to 0.7, three from 1 to 0.25."""
    before = written(tmp_path / "a", test_reference=0.01, one=0.02, two=0.005, three=0.01)
    after = written(tmp_path / "b", test_reference=0.02, one=0.08, two=0.014, three=0.005)
    assert compare.main([before, after]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert [line.split() for line in lines if line.startswith(("one", "two", "three"))] == [
        ["one", "2", "4", "2.00", "slower"],
        ["two", "0.5", "0.7", "1.40"],
        ["three", "1", "0.25", "0.25"],
    ]
    assert lines[-1] == "1 of 3 grew by more than 1.5 times"
    assert compare.main([before, after, "--factor", "2.5"]) == 0
    assert compare.main([before, after, "--factor", "1.3"]) == 1
    assert "2 of 3 grew" in capsys.readouterr().out


def test_new_and_gone_are_no_failure(compare: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = written(tmp_path / "a", test_reference=1.0, old=3.0)
    after = written(tmp_path / "b", test_reference=1.0, young=4.0)
    assert compare.main([before, after]) == 0
    said = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert ["old", "3", "–", "–", "gone"] in said
    assert ["young", "–", "4", "–", "new"] in said


def test_the_medians_are_kept_and_read_again(compare: ModuleType, tmp_path: Path) -> None:
    run = written(tmp_path / "run", test_reference=0.5, one=1.5)
    assert compare.main([run, run, "--keep", str(tmp_path / "kept")]) == 0
    assert compare.read(tmp_path / "kept") == compare.read(tmp_path / "run")
    assert compare.read(tmp_path / "kept").ratios() == {"one": 3.0}
    assert "data" not in (tmp_path / "kept").read_text()


@pytest.mark.parametrize("content", ["", "[]", '{"benchmarks": [{"name": "x"}]}', None])
def test_a_file_that_cannot_be_used_is_one_line(
    compare: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str], content: str | None
) -> None:
    good = written(tmp_path / "good", test_reference=1.0, one=1.0)
    if content is not None:
        (tmp_path / "bad").write_text(content)
    assert compare.main([good, str(tmp_path / "bad")]) == 2
    said = capsys.readouterr().err
    assert said.startswith("compare.py: ")
    assert "bad" in said
    assert said.count("\n") == 1


def test_without_the_reference_there_is_nothing_to_compare(
    compare: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    only = written(tmp_path / "only", one=1.0)
    assert compare.main([only, only]) == 2
    assert "holds no test_reference; run the whole of tests/timing" in capsys.readouterr().err
