"""run: the same options and the same errors as the command line, its plan and its tuning."""

import inspect
import tomllib
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Literal, get_args, get_origin, get_type_hints

import pytest
from pydantic import ConfigDict, TypeAdapter

from setbench import load, run
from setbench.bench.library.run import RunOptions
from setbench.bench.runner.command import main
from setbench.bench.runner.options import Options, arguments
from setbench.options import UnknownName

CELL = {"tasks": ["arithmetic_sum"], "models": ["deep_sets"], "preset": "smoke"}


def test_its_keywords_are_the_options() -> None:
    """As an editor sees them by their types, and a notebook by the signature and the docstring."""
    assert list(RunOptions.__annotations__) == list(arguments())
    shown = inspect.signature(run).parameters
    assert list(shown) == [*arguments(), "dry_run", "tune", "quiet"]
    assert {name: shown[name].default for name in arguments()} == {
        one.name: one.default if one.default is not MISSING else one.default_factory()  # type: ignore[misc]
        for one in fields(Options)
    }
    for name, one in arguments().items():
        assert any(
            line.strip().startswith(name) and one.meaning in line for line in (run.__doc__ or "").splitlines()
        ), name


@pytest.mark.parametrize("name", [name for name in arguments() if name != "command"])
def test_its_types_are_what_the_options_take(name: str) -> None:
    """The default is of the type, every word of the type is one of the option's, and whatever the option takes is of
    the type: a line that a checker of types refuses is no good one."""
    hint = get_type_hints(RunOptions)[name]
    typed = TypeAdapter(hint, config=ConfigDict(strict=True))
    typed.validate_python(inspect.signature(run).parameters[name].default)
    for word in get_args(hint) if get_origin(hint) is Literal else ():
        assert getattr(Options(**{name: word}), name) == word
    for value in (None, True, 2, 2.5, "x", ["a"], {"a": 1}):
        if taken(name, value):
            typed.validate_python(value)


def taken(name: str, value: object) -> bool:
    try:
        Options(**{name: value})  # type: ignore[arg-type]
    except UnknownName:  # and nothing else
        return False
    return True


def test_a_plan_runs_nothing(tmp_path: Path) -> None:
    plan = run(**CELL, seeds="0-2", results=tmp_path / "results", cache=tmp_path / "cache", dry_run=True)
    assert [str(cell) for cell in plan.cells if not cell.constant] == [
        f"arithmetic_sum · deep_sets · seed {seed}" for seed in range(3)
    ]
    assert plan.missing == plan.cells
    assert "4 cells to run" in repr(plan)
    assert repr(plan) == str(plan)
    assert plan.blocked == {}
    assert not (tmp_path / "results" / "records").exists()


def test_a_plan_says_what_will_not_run(tmp_path: Path) -> None:
    asked = {"tasks": ["arithmetic_sum"], "models": ["pointnet_plus_plus"], "preset": "smoke"}
    plan = run(**asked, results=tmp_path / "results", cache=tmp_path / "cache", dry_run=True)
    assert list(plan.blocked) == ["arithmetic_sum · pointnet_plus_plus · seed 0"]
    assert "needs coordinates" in plan.blocked["arithmetic_sum · pointnet_plus_plus · seed 0"]
    assert "needs coordinates" in " ".join(plan._repr_html_().split())  # whatever the width


def test_records_show_themselves_as_a_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    asked = {**CELL, "tasks": ["arithmetic_variance"]}
    records = run(**asked, results=tmp_path / "results", cache=tmp_path / "cache", quiet=True)
    assert capsys.readouterr() == ("", "")
    assert [record.row for record in records] == ["best constant", "deep_sets"]
    lines = repr(records).splitlines()
    assert lines[0].split() == ["task", "row", "seed", "status", "metric", "value", "unit"]
    assert len(lines) == 3
    assert records[1].measured is not None
    assert float(lines[2].split()[5]) == pytest.approx(records[1].measured.score, rel=1e-4)
    assert records._repr_html_().count("<tr") == 3
    key = ["id", "variant", "metric"]
    read = load(tmp_path / "results").sort_values(key, ignore_index=True)
    assert records.frame().sort_values(key, ignore_index=True).equals(read)


def test_its_rates_are_those_that_it_writes(tmp_path: Path) -> None:
    where = {"results": tmp_path / "results", "cache": tmp_path / "cache", "jobs": 2}
    assert len(run(**CELL, **where, dry_run=True, tune=True).cells) == 11
    rates = run(**CELL, **where, set={"steps": 6, "sizes.train": 64}, tune=True)
    written = tomllib.loads((tmp_path / "results" / "tuned.toml").read_text())["tuned"]
    assert rates == {"arithmetic_sum": {"deep_sets": written["arithmetic_sum"]["deep_sets"]["learning_rate"]}}


@pytest.mark.parametrize(
    ("words", "values"),
    [
        (["--tasks", "arithmetic_sun"], {"tasks": ["arithmetic_sun"]}),
        (["--seeds", "x"], {"seeds": "x"}),
        (["--tune", "--shard", "1/2"], {"tune": True, "shard": "1/2"}),
        (["--tune", "--shorten", "2"], {"tune": True, "shorten": 2}),
        (["--set", "step=3"], {"set": {"step": 3}}),
    ],
)
def test_the_same_errors_as_the_command_line(
    words: list[str], values: dict[str, object], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words) == 2
    said = capsys.readouterr().err.strip().partition(": ")[2]
    with pytest.raises(ValueError) as caught:  # noqa: PT011  # its text is what the command said
        run(**values)  # type: ignore[call-overload]
    assert str(caught.value) == said


def test_an_unknown_keyword_is_named() -> None:
    with pytest.raises(UnknownName, match="did you mean 'tasks'"):
        run(task=["clevr_state"])  # type: ignore[call-overload]
