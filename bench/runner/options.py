"""Everything that a run can be told, declared once: the command line, Python and a TOML file read this list.

A field says its default, its meaning and how what was given is read. Imports no torch.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from operator import index
from pathlib import Path
from typing import Any, get_args

from platformdirs import user_cache_path

from setbench.bench.plan.presets import load
from setbench.bench.plan.shards import Shard
from setbench.bench.records.record import Precision
from setbench.options import Option, UnknownName, nearest

SEEDS_AT_MOST = 10_000
SEED_BELOW = 2**32
NAMES_NOTHING = "it names nothing; leave it out for the default"


@dataclass(frozen=True)
class Argument:
    """How one option of a run is told.

    ``read`` turns what was given (text, or Python's own value) into the option's value, or raises ValueError with what
    would be right. ``many`` takes several words; a ``switch`` takes none. Where ``hidden``, it is Python's alone.
    """

    meaning: str
    read: Callable[[Any], Any]
    metavar: str = ""
    many: bool = False
    switch: bool = False
    hidden: bool = False


def _some_names(given: Any) -> list[str] | None:
    """As :func:`_names`, and at least one."""
    names = _names(given)
    if names == []:
        raise ValueError(NAMES_NOTHING)
    return names


def _names(given: Any) -> list[str] | None:
    """A list of names, separated by spaces or commas. Behind a colon a comma separates options."""
    if given is None:
        return None
    if isinstance(given, str) or not isinstance(given, Sequence):
        raise ValueError(f"it is a list of names, as [{given!r}]")
    words = [part for word in given for part in ([word] if ":" in str(word) else str(word).split(","))]
    if not all(word.strip() for word in words):
        raise ValueError(NAMES_NOTHING)
    return [word.strip() for word in words]


def read_seeds(given: Any) -> tuple[int, ...]:
    """``0``, ``0-5`` or ``0,3,7-9``, or numbers, without repetitions."""
    wanted = f"write 0, 0-5 or 0,3,7-9: at most {SEEDS_AT_MOST:,} whole numbers from 0, below {SEED_BELOW:,}"
    spans: list[range] = []
    try:
        if isinstance(given, str):
            for part in given.split(","):
                first, dash, last = part.partition("-")
                spans.append(range(int(first), int(last if dash else first) + 1))
        else:
            given = [given] if type(given) is int else given
            spans = [range(index(seed), index(seed) + 1) for seed in given]
    except (TypeError, ValueError):
        raise ValueError(wanted) from None
    known = all(span and span.start >= 0 and span.stop <= SEED_BELOW for span in spans)
    if not spans or not known or sum(span.stop - span.start for span in spans) > SEEDS_AT_MOST:
        raise ValueError(wanted)
    return tuple(dict.fromkeys(seed for span in spans for seed in span))


def _shard(given: Any) -> Shard | None:
    """``2/8``, or a pair of numbers; None stays None: the whole plan."""
    if given is None:
        return None
    try:
        place, count = map(int, given.split("/")) if isinstance(given, str) else map(index, given)
    except (TypeError, ValueError):
        place, count = 0, 0
    if not 1 <= place <= count:
        raise ValueError("write I/N, as 2/8: whole numbers, I from 1 to N")
    return Shard(place, count)


def _path(given: Any) -> Path | None:
    if given is None:
        return None
    if not isinstance(given, (str, os.PathLike)) or not os.fspath(given).strip():
        raise ValueError("it takes the path of a folder")
    return Path(given)


def _paths(given: Any) -> tuple[Path, ...]:
    if isinstance(given, str) or not isinstance(given, Sequence):
        raise ValueError(f"it is a list of files, as [{str(given)!r}]")
    return tuple(path for path in map(_path, given) if path is not None)


def _pairs(given: Any) -> dict[str, Any]:
    """``name=value`` words, or a mapping."""
    if isinstance(given, Mapping):
        return dict(given)
    if isinstance(given, str) or not isinstance(given, Sequence):
        raise ValueError("it takes names and values, as {'steps': 500}")
    found = {}
    for word in given:
        name, equals, value = str(word).partition("=")
        if not equals or not name or not value:
            raise ValueError(f"{word!r} is no NAME=VALUE")
        found[name] = value
    return found


def _switch(given: Any) -> bool:
    if not isinstance(given, bool):
        raise ValueError("it takes true or false")
    return given


def _word(*choices: str) -> Callable[[Any], str]:
    def read(given: Any) -> str:
        if given not in choices:
            raise ValueError(nearest(str(given), choices))
        return str(given)

    return read


def _number(option: Option) -> Callable[[Any], Any]:
    """A number within its range; None stays None: no limit."""

    def read(given: Any) -> Any:
        if given is None:
            return None
        try:
            value = option.read(given) if isinstance(given, str) else type(option.default)(given)
            exact = isinstance(given, str) or (value == given and not isinstance(given, bool))
            if not exact or option.why_not(value):
                raise ValueError
        except (ValueError, TypeError, OverflowError):
            raise ValueError(f"it takes {option.wanted}") from None
        return value

    return read


def _text(given: Any) -> str:
    if not isinstance(given, (str, os.PathLike)) or not os.fspath(given).strip():
        raise ValueError("it takes a name")
    return os.fspath(given)


def _address(given: Any) -> str | None:
    return None if given is None else _text(given)


def argument(default: Any, meaning: str, read: Callable[[Any], Any], metavar: str = "", **more: bool) -> Any:
    """A field of :class:`Options`."""
    metadata = {"argument": Argument(meaning, read, metavar, **more)}
    return (
        field(default_factory=default, metadata=metadata)
        if callable(default)
        else field(default=default, metadata=metadata)
    )


@dataclass(frozen=True)
class Options:
    """Everything that a run can be told. The defaults are the command line's.

    Raises:
        UnknownName: a value that cannot be, in one line that says what would be right.
    """

    tasks: Sequence[str] | None = argument(
        None,
        "tasks by name, with options as in NAME:option=value (default: all; see --list)",
        _some_names,
        "TASK",
        many=True,
    )
    models: Sequence[str] | None = argument(
        None, "set encoders, with options as in NAME:option=value (default: the preset's)", _names, "MODEL", many=True
    )
    decoders: Sequence[str] | None = argument(
        None, "set decoders, with options as in NAME:option=value (default: the preset's)", _names, "DECODER", many=True
    )
    seeds: Sequence[int] = argument((0,), "as 0, 0-5 or 0,3,7-9 (default 0)", read_seeds, "SEEDS")
    preset: str = argument("quick", "a preset by name, or a TOML file of your own (default quick)", _text, "PRESET")
    set: Mapping[str, Any] = argument(
        dict, "settings beside the preset's, as steps=500 width=128", _pairs, "NAME=VALUE", many=True
    )
    shorten: int = argument(
        1,
        "train every cell for one in N of its steps, its schedule ending there, in tables of its own (default 1)",
        _number(Option(1, "", low=1, high=1_000_000)),
        "N",
    )
    task_options: Mapping[str, Any] = argument(dict, "options for every task that has them", _pairs, hidden=True)
    device: str = argument("auto", "auto, cpu or cuda (default auto)", _word("auto", "cpu", "cuda"), "DEVICE")
    threads: int = argument(
        1, "of every cell; part of what a table compares (default 1)", _number(Option(1, "", low=1, high=4096)), "N"
    )
    precision: Precision = argument(
        "float32",
        "of products: float32, tf32 (CUDA alone) or bf16; part of what a table compares (default float32)",
        _word(*get_args(Precision)),
        "PRECISION",
    )
    jobs: int | None = argument(
        None, "cells at once (default: one a core; 1 on a GPU)", _number(Option(1, "", low=1, high=4096)), "N"
    )
    shard: Shard | None = argument(
        None,
        "the I-th of N parts of the plan, as 2/8, for N machines (default: the whole)",
        _shard,
        "I/N",
    )
    engine: str = argument(
        "local", "where cells run: local, or ray, on a cluster (default local)", _word("local", "ray"), "ENGINE"
    )
    address: str | None = argument(
        None, "of the Ray cluster, as HOST:PORT (default: the one this machine is in)", _address, "ADDR"
    )
    results: Path = argument(lambda: Path("results/local"), "default results/local", _path, "DIR")
    data: Path | None = argument(None, "holds real data: mnist/, and scenes in their released layout", _path, "DIR")
    cache: Path = argument(lambda: user_cache_path("setbench"), "for prepared data", _path, "DIR")
    plugins: Sequence[Path] = argument((), "your own Python files of models or tasks", _paths, "FILE", many=True)
    retry_failed: bool = argument(False, "run cells again that failed, were killed or ran out", _switch, switch=True)
    rerun: bool = argument(False, "run cells again whose record was made by other code", _switch, switch=True)
    replay: bool = argument(
        False, "count such records as of this code where their first 50 steps, run again, agree", _switch, switch=True
    )
    fail_fast: bool = argument(False, "stop at the first cell that fails", _switch, switch=True)
    time_limit: float | None = argument(None, "a cell's", _number(Option(1.0, "", above=0, high=1e9)), "SECONDS")
    memory_limit: float | None = argument(None, "a cell's", _number(Option(1.0, "", above=0, high=1e6)), "GB")
    checkpoint: float | None = argument(
        None,
        "keep a cell's training so often (default 60, for cells estimated at over two minutes)",
        _number(Option(1.0, "", above=0, high=1e9)),
        "SECONDS",
    )
    time_budget: float | None = argument(
        None,
        "a run's: what is running then is stopped with a checkpoint, and the same command goes on (exit code 3)",
        _number(Option(1.0, "", above=0, high=1e9)),
        "SECONDS",
    )
    figures: bool = argument(False, "draw predictions beside the truth, and the steps to them", _switch, switch=True)
    tensorboard: bool = argument(
        False, "log every cell to RESULTS/tensorboard too (pip install 'setbench[tensorboard]')", _switch, switch=True
    )
    command: str = argument("", "shown in the records", str, hidden=True)

    def __post_init__(self) -> None:
        without = {one.name for one in fields(self) if one.default is None}
        for name, one in arguments().items():
            given = getattr(self, name)
            if given is None and name not in without:
                raise UnknownName(f"{flag(name)} None: leave it out for the default")
            try:
                object.__setattr__(self, name, one.read(given))
            except ValueError as error:
                shown = " ".join(map(str, given)) if one.many and isinstance(given, (list, tuple)) else given
                raise UnknownName(f"{flag(name)} {shown!s:.80}: {error}") from None
        if self.engine != "ray" and self.address is not None:
            raise UnknownName(f"--address {self.address}: it is a Ray cluster's; give --engine ray too")
        if self.engine == "ray" and self.replay:
            raise UnknownName("--replay: it runs on this machine; leave --engine ray out")
        if self.results.exists() and not self.results.is_dir():
            raise UnknownName(f"--results {self.results}: it is a file; give a folder")
        if self.data is not None and not self.data.is_dir():
            raise UnknownName(f"--data {self.data}: no such folder")


def arguments() -> dict[str, Argument]:
    """Field name -> how it is told."""
    return {one.name: one.metadata["argument"] for one in fields(Options)}


def flag(name: str) -> str:
    """How a field is written on the command line."""
    return "--plugin" if name == "plugins" else "--" + name.replace("_", "-")


def options(values: Mapping[str, Any]) -> Options:
    """Options from keywords, above what the preset's file says of a run.

    Raises:
        UnknownName: a name or a value that there is not, with the nearest.
    """
    from_file = load(str(values["preset"])).run if values.get("preset") else {}
    for name in (*from_file, *values):
        if name not in arguments():
            raise UnknownName(f"a run has no option {name!r}; {nearest(name, arguments())}")
    return Options(**{**from_file, **values})
