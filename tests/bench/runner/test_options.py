"""A run's options are read in one place, from words, from Python and from a file alike; a slip is one line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from setbench.bench.runner.options import SEED_BELOW, Options, arguments, flag, options, read_seeds
from setbench.options import UnknownName


@pytest.mark.parametrize(
    ("given", "numbers"),
    [
        ("0", (0,)),
        ("0-5", (0, 1, 2, 3, 4, 5)),
        ("0,3,7-9", (0, 3, 7, 8, 9)),
        ("1,1,1", (1,)),
        (range(3), (0, 1, 2)),
        (4, (4,)),
    ],
)
def test_seeds(given: Any, numbers: tuple[int, ...]) -> None:
    assert read_seeds(given) == numbers


@pytest.mark.parametrize(
    "values",
    [
        {"seeds": "0-99999999999"},
        {"seeds": "0-2000000"},
        {"seeds": str(SEED_BELOW)},
        {"seeds": "5-3"},
        {"seeds": "-1"},
        {"seeds": ""},
        {"seeds": "x"},
        {"seeds": [0.5]},
        {"seeds": ()},
        {"jobs": "99999999999999999999"},
        {"jobs": 0},
        {"engine": "spark"},
        {"address": "head:6379"},
        {"address": ""},
        {"shard": "0/4"},
        {"shard": "5/4"},
        {"shard": "2"},
        {"shard": "1/2/3"},
        {"shard": "a/b"},
        {"shard": "1.5/2"},
        {"shard": ""},
        {"shard": 3},
        {"shard": (1.0, 2)},
        {"jobs": "1.5"},
        {"jobs": True},
        {"threads": "0"},
        {"memory_limit": "1e300"},
        {"memory_limit": "nan"},
        {"time_limit": "-1"},
        {"time_limit": "inf"},
        {"tasks": []},
        {"tasks": [""]},
        {"tasks": [","]},
        {"tasks": "clevr_state"},
        {"models": [""]},
        {"decoders": [" "]},
        {"results": ""},
        {"data": ""},
        {"cache": ""},
        {"data": "nowhere"},
        {"preset": ""},
        {"device": "gpu"},
        {"figures": "yes"},
        {"plugins": "one.py"},
        {"set": ["steps"]},
        {"set": ["steps="]},
    ],
    ids=str,
)
def test_what_cannot_be_is_one_line_that_names_the_option(values: dict[str, Any]) -> None:
    with pytest.raises(UnknownName) as refused:
        options(values)
    (name,) = values
    assert str(refused.value).startswith(flag(name))
    assert len(str(refused.value).splitlines()) == 1
    assert len(str(refused.value)) < 300


def test_the_first_steps_are_run_again_here_and_not_on_a_cluster() -> None:
    with pytest.raises(UnknownName, match="--replay: it runs on this machine; leave --engine ray out"):
        Options(engine="ray", replay=True)


def test_an_option_that_there_is_not_gets_the_nearest() -> None:
    with pytest.raises(UnknownName, match="a run has no option 'sedes'; did you mean 'seeds'\\?"):
        options({"sedes": 0})


def test_results_that_are_a_file_are_refused_before_anything_runs(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UnknownName, match="it is a file; give a folder"):
        Options(results=tmp_path / "file")


def test_words_and_python_give_the_same() -> None:
    typed = options({"seeds": "0-2", "jobs": "2", "time_limit": "5", "tasks": ["a,b", "c:x=1,y=2"], "set": ["steps=5"]})
    python = Options(seeds=range(3), jobs=2, time_limit=5, tasks=["a", "b", "c:x=1,y=2"], set={"steps": "5"})
    assert typed == python
    assert typed.tasks == ["a", "b", "c:x=1,y=2"]
    assert typed.time_limit == 5.0


def test_every_option_says_what_it_means() -> None:
    assert all(told.meaning for name, told in arguments().items())
    assert len(arguments()) > 15
