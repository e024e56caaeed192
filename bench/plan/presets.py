"""Presets: every number of a run, read from ``bench/settings/*.toml`` or from a file of one's own. Imports no torch."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from setbench.bench.plan.rows import proper_row, stand_in
from setbench.models.catalogue import parse
from setbench.models.entry import HEADS, IMAGE_ENCODERS, PARADIGMS
from setbench.options import Option, UnknownName, nearest
from setbench.tasks.catalogue import TASKS

SETTINGS = Path(__file__).parents[1] / "settings"
PRESETS = ("smoke", "quick", "desk", "sweep", "standard", "paper_cpu", "paper", "paper_code")
SPLITS = ("train", "validation", "test")
ROWS = ("encoders", "decoders")


def setting(default: Any, meaning: str, **limits: Any) -> Any:
    """A field of :class:`Settings`: its type, default, range and meaning."""
    return field(default=default, metadata={"option": Option(default, meaning, **limits)})


@dataclass(frozen=True)
class Settings:
    """The resolved numbers of one cell. All of them enter its identity."""

    steps: int = setting(1000, "optimiser steps", low=1)
    batch: int = setting(32, "examples a step", low=1)
    learning_rate: float = setting(1e-3, "of Adam", above=0)
    schedule: str = setting(
        "constant", "of the learning rate: constant, or half a cosine to 0", choices=("constant", "cosine")
    )
    clip: float = setting(0.0, "bound on the gradient's norm; 0 is none", low=0)
    latent: int = setting(64, "size of every code", low=1)
    width: int = setting(64, "hidden width of every network", low=1)
    head: str = setting(HEADS[0], "from a code to a label or a number", choices=HEADS)
    image_encoder: str = setting(IMAGE_ENCODERS[0], "from a picture to a code", choices=IMAGE_ENCODERS)
    max_terms: int = setting(5000, "largest sum that an exact method may ask for", low=1)
    timing_repeats: int = setting(10, "timings whose median is reported", low=1)
    invariance_sets: int = setting(64, "test sets whose invariance error is measured", low=1)
    sizes: Mapping[str, int] = field(default_factory=lambda: dict.fromkeys(SPLITS, 0))
    task_options: Mapping[str, Any] = field(default_factory=dict)


OPTIONS: Mapping[str, Option] = {
    one.name: one.metadata["option"] for one in fields(Settings) if "option" in one.metadata
} | {f"sizes.{split}": Option(0, f"examples of the {split} split; 0 is all there are", low=0) for split in SPLITS}
"""Every setting by the name that ``--set`` knows it by."""


def checked(owner: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """Settings as a TOML table or ``--set`` gives them, each read and within its range.

    Raises:
        UnknownName: a setting or a value that there is not, in one line.
    """
    flat: dict[str, Any] = {}
    for name, value in values.items():
        parts = value if isinstance(value, Mapping) else {"": value}
        flat |= {f"{name}.{inner}".rstrip("."): own for inner, own in parts.items()}
    found: dict[str, Any] = {}
    for name, value in flat.items():
        if name not in OPTIONS:
            raise UnknownName(f"{owner}: no setting is called {name!r}; {nearest(name, OPTIONS)}")
        try:
            read = OPTIONS[name].take(value)
        except (ValueError, OverflowError):
            raise UnknownName(f"{owner}: {name}={value}: {OPTIONS[name].hint(value)}") from None
        head, dot, inner = name.partition(".")
        if dot:
            found.setdefault(head, {})[inner] = read
        else:
            found[head] = read
    return found


@dataclass(frozen=True)
class Preset:
    """A named set of settings, and which rows it runs when the user names none.

    ``rows_of`` is "encoders" and "decoders" -> names ("*" is all of the catalogue); ``common`` are settings of every
    task, ``tasks`` each task's own, with its "rows" and "task_options" among them; ``row`` is row -> settings of its
    own, on every task; ``tuned`` is task -> row -> the row's own learning rate and how it was chosen; ``chosen`` stands
    above all of these (``--set``). ``on`` are the tasks that it runs where no models are named; None is every task.
    ``run`` holds options of a run. ``shared`` is paradigm -> the encoder whose tuned rate all of the paradigm have.
    Every row has one in ``shorten`` of its steps.
    """

    name: str
    about: str
    rows_of: Mapping[str, Any]
    common: Mapping[str, Any]
    tasks: Mapping[str, Mapping[str, Any]]
    row: Mapping[str, Mapping[str, Any]]
    tuned: Mapping[str, Mapping[str, Mapping[str, Any]]]
    on: Sequence[str] | None = None
    chosen: Mapping[str, Any] = field(default_factory=dict)
    run: Mapping[str, Any] = field(default_factory=dict)
    shared: Mapping[str, str] = field(default_factory=dict)
    shorten: int = 1

    def rows(self, kind: str, task: str) -> list[str]:
        """Names of the "encoders" or "decoders" that run on a task; "*" stands for the whole catalogue."""
        own = self.tasks.get(task, {}).get("rows", {})
        return list({**self.rows_of, **own}[kind])

    def settings(self, task: str, row: str) -> tuple[Settings, str]:
        """The settings of one row on one task, and a sentence on how they were tuned ("" where they were not)."""
        own = {name: value for name, value in self.tasks.get(task, {}).items() if name != "rows"}
        rates = self.tuned.get(task, {})
        tuned_row = row if row in rates else stand_in(row, self.shared)
        choice = dict(rates.get(tuned_row, {}))
        how = choice.pop("how", "")
        if how and tuned_row != row:
            how = f"as {tuned_row}, with which it shares its paradigm: {how}"
        values = {**self.common, **own, **self.row.get(row, {}), **choice}
        above = dict(self.chosen)
        values["sizes"] = {**dict.fromkeys(SPLITS, 0), **values.get("sizes", {}), **above.pop("sizes", {})}
        found = Settings(**{**values, **above})
        short = replace(found, steps=max(1, found.steps // self.shorten))
        return short, "" if "learning_rate" in above else how

    def with_settings(self, given: Mapping[str, Any]) -> Preset:
        """The same with some settings above all others, as ``--set`` asks.

        Raises:
            UnknownName: a setting or a value that there is not.
        """
        return replace(self, chosen={**self.chosen, **checked("--set", given)}) if given else self

    def shortened(self, times: int) -> Preset:
        """The same with one in so many of the steps, the schedule ending there, under a name of its own (``quick/9``):
        in no table with the whole."""
        return replace(self, name=f"{self.name}/{times}", shorten=times) if times > 1 else self


TABLES = {
    "about": 0,
    "extends": 0,
    "tasks": 0,
    "rows": 1,
    "all": 1,
    "task": 2,
    "row": 2,
    "tuned": 3,
    "run": 1,
    "shared": 1,
}
"""What a preset's file may hold, and how deep its tables lie in one another."""


def load(name: str) -> Preset:
    """A preset by its name, or from a TOML file.

    A file of one's own may start from another preset (``extends = "quick"``), change its settings (``[all]``,
    ``[task.NAME]``, or ``[task."arithmetic_*"]`` for all tasks with such a name, ``[row."ROW"]`` for one row on every
    task), its ``[rows]``, the ``tasks`` that it runs where no models are named, and the rates of single rows
    (``[tuned.TASK."ROW"]``), say whose rate a paradigm's rows share (``[shared]``), and hold the options of a whole
    command (``[run]``).

    Raises:
        UnknownName: no such preset or file, or a key or value in it that there is not, in one line.
    """
    if name in PRESETS:
        return _made(name, SETTINGS / f"{name}.toml")
    if not name.endswith(".toml"):
        raise UnknownName(f"no preset is called {name!r}; {nearest(name, PRESETS)}, or give a TOML file")
    return _made(Path(name).stem, Path(name))


def _made(name: str, path: Path) -> Preset:
    tables = _read(path)
    base = load(tables["extends"]) if "extends" in tables else None
    ours = path.parent == SETTINGS and tuned_file(name).exists()
    shipped = _read(tuned_file(name))["tuned"] if ours else {}
    return Preset(
        name=name,
        about=tables.get("about", base.about if base else ""),
        rows_of={
            **(base.rows_of if base else {"encoders": ["*"], "decoders": ["*"]}),
            **_rows(f"{path.name}: [rows]", tables.get("rows", {})),
        },
        common={**(base.common if base else {}), **checked(f"{path.name}: [all]", tables.get("all", {}))},
        tasks=_both(base.tasks if base else {}, _tasks(path.name, tables.get("task", {}))),
        row=_both(base.row if base else {}, _row(path.name, tables.get("row", {}))),
        tuned=_both(_both(base.tuned if base else {}, shipped), _tuned(path.name, tables.get("tuned", {}))),
        on=_on(path.name, tables["tasks"]) if "tasks" in tables else base.on if base else None,
        run=tables.get("run", {}),
        shared={**(base.shared if base else {}), **_shared(path.name, tables.get("shared", {}))},
    )


def _on(file: str, names: Any) -> list[str]:
    """The tasks that a preset runs where no models are named."""
    for name in _words(f"{file}: tasks", names):
        if name not in TASKS:
            raise UnknownName(f"{file}: tasks: no task is called {name!r}; {nearest(name, TASKS)}")
    return list(names)


def _shared(file: str, names: Mapping[str, Any]) -> dict[str, str]:
    """The encoder, by its full name, that each paradigm has its tuned rates of."""
    found = {}
    for paradigm, name in names.items():
        owner = f"{file}: [shared]: {paradigm}"
        if paradigm not in PARADIGMS:
            raise UnknownName(f"{owner}: no paradigm is called so; {nearest(paradigm, PARADIGMS)}")
        try:
            spec = parse(str(name), ("encoder",))
        except UnknownName as error:
            raise UnknownName(f"{owner}: {error}") from None
        if spec.entry.paradigm != paradigm:
            raise UnknownName(f"{owner}: {spec.name} is of the paradigm {spec.entry.paradigm}")
        found[paradigm] = spec.name
    return found


def _words(owner: str, given: Any) -> list[str]:
    if not isinstance(given, list) or not all(isinstance(word, str) for word in given):
        raise UnknownName(f"{owner} is a list of names, not {given!r:.60}")
    return given


def _rows(owner: str, values: Mapping[str, Any]) -> dict[str, list[str]]:
    """Names of encoders and of decoders."""
    for word in values:
        if word not in ROWS:
            raise UnknownName(f"{owner}: {word!r} is none of its lists; {nearest(word, ROWS)}")
    return {word: _words(f"{owner}: {word}", names) for word, names in values.items()}


def _tasks(file: str, tables: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """Each task's own settings; where several patterns fit a task, later ones stand above earlier ones."""
    found: dict[str, dict[str, Any]] = {}
    for pattern, values in tables.items():
        owner = f"{file}: [task.{pattern}]"
        own = checked(owner, {key: value for key, value in values.items() if key not in ("rows", "task_options")})
        for key in ("rows", "task_options"):
            if key in values:
                _table(f"{owner}: {key}", values[key])
                own[key] = _rows(owner, values[key]) if key == "rows" else values[key]
        named = [task for task in TASKS if fnmatchcase(task, pattern)]
        if not named:
            raise UnknownName(f"--preset {file}: {pattern!r} is none of its tasks; {nearest(pattern, TASKS)}")
        found |= {task: {**found.get(task, {}), **own} for task in named}
    return found


def _row(file: str, tables: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """Settings of single rows, by the names that the plan gives them."""
    found = {}
    for text, values in tables.items():
        owner = f"{file}: [row.{text!r}]"
        try:
            name = proper_row(text)
        except UnknownName as error:
            raise UnknownName(f"{owner}: {error}") from None
        found[name] = checked(owner, values)
    return found


def _tuned(file: str, tables: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> dict[str, dict[str, dict[str, Any]]]:
    """Tuned settings of single rows on a task, and how they were chosen."""
    found: dict[str, dict[str, dict[str, Any]]] = {}
    for task, rows in tables.items():
        for text, values in rows.items():
            rest = {name: value for name, value in values.items() if name != "how"}
            own = checked(f"{file}: [tuned.{task}.{text!r}]", rest)
            found.setdefault(task, {})[text] = own | {"how": str(values.get("how", ""))}
    return found


def _both(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Two levels of tables, the entries of the second above those of the first."""
    return {name: {**below.get(name, {}), **above.get(name, {})} for name in {**below, **above}}


def _read(path: Path) -> dict[str, Any]:
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError:
        raise UnknownName(f"--preset {path}: no such file; presets by name are {', '.join(PRESETS)}") from None
    except ValueError as error:
        raise UnknownName(f"--preset {path}: {str(error).splitlines()[0]}") from None
    for table, values in tables.items():
        if table not in TABLES:
            raise UnknownName(f"--preset {path.name}: no table is called {table!r}; {nearest(table, TABLES)}")
        if TABLES[table]:
            _table(f"{path.name}: {table}", values, TABLES[table])
        elif table != "tasks" and not isinstance(values, str):
            raise UnknownName(f"{path.name}: {table} is a text, not {values!r:.60}")
    return tables


def _table(owner: str, values: Any, depth: int = 1) -> None:
    """Refuse what is no table, or no table of tables, so deep."""
    if not isinstance(values, Mapping):
        raise UnknownName(f"{owner} is a table, not {values!r:.60}")
    for name, inner in values.items() if depth > 1 else ():
        _table(f"{owner}.{name}", inner, depth - 1)


def tuned_file(preset: str) -> Path:
    """The rates that ship with a preset, row by row, and how they were chosen."""
    return SETTINGS / "tuned" / f"{preset}.toml"
