"""run: the same options and the same errors as the command line, its plan and its tuning."""

import inspect
import tomllib
from pathlib import Path

import pytest

from setbench import run
from setbench.bench.library.run import RunOptions
from setbench.bench.runner.command import main
from setbench.bench.runner.options import arguments
from setbench.options import UnknownName

CELL = {"tasks": ["arithmetic_sum"], "models": ["deep_sets"], "preset": "smoke"}


def test_its_keywords_are_the_options() -> None:
    assert list(RunOptions.__annotations__) == list(arguments())
    own = inspect.signature(run).parameters
    assert {name for name, one in own.items() if one.kind is one.KEYWORD_ONLY} == {"dry_run", "tune"}


def test_a_plan_runs_nothing(tmp_path: Path) -> None:
    plan = run(**CELL, seeds="0-2", results=tmp_path / "results", cache=tmp_path / "cache", dry_run=True)
    assert [str(cell) for cell in plan.cells if not cell.constant] == [
        f"arithmetic_sum · deep_sets · seed {seed}" for seed in range(3)
    ]
    assert plan.missing == plan.cells
    assert "4 cells to run" in str(plan)
    assert not (tmp_path / "results" / "records").exists()


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
