"""The comparison of timings: on files made by hand, and once through pytest itself. No test looks at a clock."""

from __future__ import annotations

import importlib.util
import json
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType

import pytest

MACHINE = "Made-up CPU @ 3 GHz 6-1, 2 cores, torch 2.99"


@pytest.fixture
def compare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> ModuleType:
    """The command, its baselines in a folder of their own."""
    spec = importlib.util.spec_from_file_location("compare_timings", Path(__file__).with_name("compare.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "compare_timings", module)
    spec.loader.exec_module(module)
    (tmp_path / "baselines").mkdir()
    monkeypatch.setattr(module, "BASELINES", tmp_path / "baselines")
    return module


def written(path: Path, machine: str = MACHINE, reference: float = 1.0, kind: str = "layers", **seconds: float) -> str:
    """A file as pytest-benchmark writes it, as far as it is read."""
    benchmarks = [
        {
            "name": name,
            "fullname": f"tests/timing/test_made_up.py::{name}",
            "stats": {"median": 9.9, "data": [9.9]},
            "extra_info": {"reference": kind, "reference_seconds": reference, "seconds": value},
        }
        for name, value in seconds.items()
    ]
    info = {"machine_info": {"node": "secret", "baseline": machine}, "commit_info": {"id": "0123456789abcdef"}}
    path.write_text(json.dumps({**info, "benchmarks": benchmarks}))
    return str(path)


def rows(said: str, *names: str) -> list[list[str]]:
    return [line.split() for line in said.splitlines() if line.startswith(names)]


def test_a_faster_machine_changes_nothing(
    compare: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = written(tmp_path / "a", reference=0.010, one=0.020, two=0.005)
    after = written(tmp_path / "b", reference=0.002, one=0.004, two=0.001)
    assert compare.main([before, after]) == 0
    said = capsys.readouterr().out
    assert rows(said, "one", "two") == [["one", "2", "2", "1.00"], ["two", "0.5", "0.5", "1.00"]]
    assert "0 of 2 grew by more than 1.25 times" in said


def test_half_as_slow_again_is_caught_and_a_fifth_is_not(
    compare: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Ratios: one from 2 to 3, two from 0.5 to 0.6, three from 1 to 0.25."""
    before = written(tmp_path / "a", reference=0.01, one=0.02, two=0.005, three=0.01)
    after = written(tmp_path / "b", reference=0.02, one=0.06, two=0.012, three=0.005)
    assert compare.main([before, after]) == 1
    said = capsys.readouterr().out
    assert rows(said, "one", "two", "three") == [
        ["one", "2", "3", "1.50", "slower"],
        ["two", "0.5", "0.6", "1.20"],
        ["three", "1", "0.25", "0.25"],
    ]
    assert said.splitlines()[-1] == "1 of 3 grew by more than 1.25 times"
    assert compare.main([before, after, "--factor", "1.6"]) == 0
    assert compare.main([before, after, "--factor", "1.1"]) == 1
    assert "2 of 3 grew" in capsys.readouterr().out


def test_new_and_gone_are_no_failure(compare: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = written(tmp_path / "a", old=3.0)
    after = written(tmp_path / "b", young=4.0)
    assert compare.main([before, after]) == 0
    said = rows(capsys.readouterr().out, "old", "young")
    assert ["old", "3", "–", "–", "gone"] in said
    assert ["young", "–", "4", "–", "new"] in said


def test_beside_another_reference_it_is_another_timing(
    compare: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before, after = written(tmp_path / "a", one=1.0), written(tmp_path / "b", kind="arrays", one=9.0)
    assert compare.main([before, after]) == 0
    assert sorted(rows(capsys.readouterr().out, "one")) == [
        ["one", "1", "–", "–", "gone"],
        ["one", "–", "9", "–", "new"],
    ]


def test_where_there_is_no_baseline_the_run_becomes_it(
    compare: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = written(tmp_path / "run", one=1.5, two=1.0)
    assert compare.main([run]) == 0
    path = tmp_path / "baselines" / "made-up-cpu-3-ghz-6-1-2-cores-torch-2.99.json"
    assert capsys.readouterr().out == (
        f"no baseline for {MACHINE}: this run's 2 timings are it now, {path}\n"  # one line
    )
    assert compare.read(path) == compare.read(tmp_path / "run")
    assert not {"data", "secret"} & set(path.read_text().split('"'))
    assert compare.main([run]) == 0
    assert "0 of 2 grew" in capsys.readouterr().out
    assert compare.main([written(tmp_path / "slow", one=1.5 * 1.5, two=1.2)]) == 1
    assert ["one", "1.5", "2.25", "1.50", "slower"] in rows(capsys.readouterr().out, "one")


@pytest.mark.parametrize("other", ["Another CPU 6-1, 2 cores, torch 2.99", MACHINE.replace("2 cores", "8 cores")])
def test_another_processor_has_a_baseline_of_its_own(
    compare: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str], other: str
) -> None:
    assert compare.main([written(tmp_path / "here", one=1.0)]) == 0
    assert compare.main([written(tmp_path / "there", machine=other, one=5.0)]) == 0
    assert f"no baseline for {other}" in capsys.readouterr().out
    assert len(list((tmp_path / "baselines").iterdir())) == 2


@pytest.mark.parametrize(
    ("again", "expected", "asked"),
    [
        ([], 1, []),
        ([{"one": 1.1, "two": 1.6}, {"two": 1.0}], 0, [{"one", "two"}, {"two"}]),
        ([{"one": 1.1, "two": 1.6}, {"two": 1.5}], 1, [{"one", "two"}, {"two"}]),
        ([{"one": 1.0, "two": 1.0}, {}], 0, [{"one", "two"}]),
    ],
)
def test_what_seems_slower_is_timed_again(
    compare: ModuleType,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    again: list[dict[str, float]],
    expected: int,
    asked: list[set[str]],
) -> None:
    """Up to so many times, and of what seems slower alone; each counts at its best."""
    written(tmp_path / "before", one=1.0, two=1.0, three=1.0)
    written(tmp_path / "after", one=1.3, two=1.4, three=1.2)
    heard: list[set[str]] = []

    def timed_again(tests: Sequence[str]) -> object:
        heard.append({test.removeprefix("tests/timing/test_made_up.py::") for test in tests})
        written(tmp_path / "again", **again[len(heard) - 1])
        return compare.read(tmp_path / "again")

    monkeypatch.setattr(compare, "timed_again", timed_again)
    words = [str(tmp_path / "before"), str(tmp_path / "after"), "--again", str(len(again))]
    assert compare.main(words) == expected
    assert heard == asked
    three = [row for row in rows(capsys.readouterr().out, "three") if row[1] == "1"]
    assert three == [["three", "1", "1.2", "1.20"]]


@pytest.mark.parametrize("content", ["", "[]", '{"benchmarks": [{"name": "x"}]}', None])
def test_a_file_that_cannot_be_used_is_one_line(
    compare: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str], content: str | None
) -> None:
    good = written(tmp_path / "good", one=1.0)
    if content is not None:
        (tmp_path / "bad").write_text(content)
    assert compare.main([good, str(tmp_path / "bad")]) == 2
    said = capsys.readouterr().err
    assert said.startswith("compare.py: ")
    assert "bad" in said
    assert said.count("\n") == 1


@pytest.mark.parametrize("seconds", [{}, {"one": 0.0}])
def test_without_a_reference_there_is_nothing_to_compare(
    compare: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str], seconds: dict[str, float]
) -> None:
    assert compare.main([written(tmp_path / "only", **seconds)]) == 2
    assert "holds no timings beside a reference" in capsys.readouterr().err
    assert not list((tmp_path / "baselines").iterdir())


def test_through_pytest_itself(
    compare: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As suspects are timed again: what conftest.py leaves in the file is what is read, and can be a baseline."""
    monkeypatch.delenv("PYTEST_XDIST_WORKER", raising=False)  # beside other workers there are no benchmarks
    run = compare.timed_again(["tests/timing/test_parts_speed.py::test_metric[size_error]"])
    assert {name: one.reference for name, one in run.timings.items()} == {"test_metric[size_error]": "arrays"}
    assert re.fullmatch(r".+, \d+ cores, torch \d+\.\d+", run.machine)
    compare.keep(run, tmp_path / "run.json")
    assert compare.main([str(tmp_path / "run.json")]) == 0
    assert f"no baseline for {run.machine}: this run's 1 timings" in capsys.readouterr().out


def test_a_benchmark_that_fails_when_timed_again_is_one_line(
    compare: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    before, after = written(tmp_path / "a", one=1.0), written(tmp_path / "b", one=9.0)
    failing = tmp_path / "python"
    failing.write_text("#!/bin/sh\necho much\necho 1 failed in 2 s\nexit 1\n")
    failing.chmod(0o755)
    monkeypatch.setattr(compare.sys, "executable", str(failing))
    assert compare.main([before, after, "--again", "2"]) == 2
    assert capsys.readouterr().err == "compare.py: timed again, a benchmark failed: 1 failed in 2 s\n"
