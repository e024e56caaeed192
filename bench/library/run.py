"""``setbench.run``: the command line from Python, with types, and its plan and its tuning."""

from __future__ import annotations

import html
import inspect
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, dataclass, fields
from typing import Any, Literal, TypedDict, Unpack, get_type_hints, overload

from setbench.bench.library.frames import Records
from setbench.bench.plan.cells import Cell
from setbench.bench.plan.presets import load
from setbench.bench.records.record import Precision
from setbench.bench.runner.driver import Run
from setbench.bench.runner.options import Options, arguments, options

Folder = str | os.PathLike[str]


class RunOptions(TypedDict, total=False):
    """What a run can be told: the fields of :class:`setbench.bench.runner.options.Options`, which says what each means
    and its default. ``help(setbench.run)`` and ``python run_all.py --help`` print that."""

    tasks: Sequence[str] | None
    models: Sequence[str] | None
    decoders: Sequence[str] | None
    seeds: int | str | Sequence[int]
    preset: Folder
    set: Mapping[str, Any]
    shorten: int
    task_options: Mapping[str, Any]
    device: Literal["auto", "cpu", "cuda"]
    threads: int
    precision: Precision
    jobs: int | None
    shard: str | tuple[int, int] | None
    engine: Literal["local", "ray"]
    address: str | None
    results: Folder
    data: Folder | None
    cache: Folder
    plugins: Sequence[Folder]
    retry_failed: bool
    rerun: bool
    replay: bool
    fail_fast: bool
    time_limit: float | None
    memory_limit: float | None
    checkpoint: float | None
    time_budget: float | None
    figures: bool
    tensorboard: bool
    command: str


@dataclass(frozen=True)
class Plan:
    """What a run would do: all its cells, those that are missing, and an estimate for these in seconds. Prints as
    ``--dry-run`` does."""

    cells: list[Cell]
    missing: list[Cell]
    seconds: float
    text: str

    @property
    def blocked(self) -> dict[str, str]:
        """Which cells will not run -> why."""
        return {str(cell): cell.blocked[1] for cell in self.cells if cell.blocked}

    def __repr__(self) -> str:
        return self.text

    def _repr_html_(self) -> str:
        return f'<pre style="white-space: pre-wrap">{html.escape(self.text)}</pre>'


Rates = dict[str, dict[str, float]]
"""Task -> row -> the learning rate that was chosen for it."""


def described(function: Callable[..., Any]) -> Callable[..., Any]:
    """``run`` as an editor or a notebook shows it: with every option by name, its type, default and meaning, as the
    command line declares them."""
    own = [one for one in inspect.signature(function).parameters.values() if one.kind is one.KEYWORD_ONLY]
    defaults = {
        one.name: one.default_factory() if one.default_factory is not MISSING else one.default
        for one in fields(Options)
    }
    named = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=defaults[name], annotation=hint)
        for name, hint in get_type_hints(RunOptions).items()
    ]
    function.__signature__ = inspect.Signature([*named, *own])  # type: ignore[attr-defined]
    units = {name: f" ({one.metavar})" if one.metavar else "" for name, one in arguments().items()}
    meanings = "\n".join(f"        {name}{units[name]}: {one.meaning}." for name, one in arguments().items())
    function.__doc__ = (function.__doc__ or "").replace("        **values: :class:`RunOptions`.", meanings)
    return function


@overload
def run(*, dry_run: Literal[True], tune: bool = ..., quiet: bool = ..., **values: Unpack[RunOptions]) -> Plan: ...
@overload
def run(
    *, dry_run: Literal[False] = ..., tune: Literal[True], quiet: bool = ..., **values: Unpack[RunOptions]
) -> Rates: ...
@overload
def run(
    *, dry_run: Literal[False] = ..., tune: Literal[False] = ..., quiet: bool = ..., **values: Unpack[RunOptions]
) -> Records: ...
@overload
def run(
    *, dry_run: bool = ..., tune: bool = ..., quiet: bool = ..., **values: Unpack[RunOptions]
) -> Records | Plan | Rates: ...
@described
def run(
    *, dry_run: bool = False, tune: bool = False, quiet: bool = False, **values: Unpack[RunOptions]
) -> Records | Plan | Rates:
    """Plan, run what is missing, write the leaderboard; the same as the command line, from Python.

    Args:
        **values: :class:`RunOptions`.
        dry_run: show the plan, with ``tune`` of its trials, and stop.
        tune: choose learning rates on the validation split; writes RESULTS/tuned.toml, which ``preset=`` takes.
        quiet: say nothing on the way, and draw no bars.

    Returns:
        One :class:`setbench.bench.records.record.Record` for every planned cell, in a list that shows itself as a
        table; a :class:`Plan` where ``dry_run``; the chosen rates where ``tune`` (without those whose trials a time
        budget left over).

    Raises:
        UnknownName: (a ValueError) a name or a value that there is not, in one line, as on the command line.

    Example:
        >>> from setbench import run
        >>> records = run(tasks=["arithmetic_sum"], models=["deep_sets"], preset="smoke")
        >>> records[0].measured.score
    """
    given: dict[str, Any] = dict(values)
    asked = {"dry_run": dry_run, "tune": tune}
    words = {**{name: True for name, on in asked.items() if on}, **given}
    given.setdefault("command", "setbench.run(" + ", ".join(f"{name}={value!r}" for name, value in words.items()) + ")")
    planned = Run(options(given))
    planned.progress.console.quiet = quiet
    if tune:
        planned.refuse_to_tune()
    if dry_run:
        return _plan(planned, tune)
    if tune:
        from setbench.bench.runner.tune import tune as choose

        choose(planned)
        file = planned.options.results / "tuned.toml"
        found = load(str(file)).tuned if not planned.left and file.exists() else {}
        return {task: {row: own["learning_rate"] for row, own in rows.items()} for task, rows in found.items()}
    if planned.options.replay:
        from setbench.bench.runner.replay import replay

        replay(planned)
    planned.execute()
    planned.report()
    return Records(planned.results())


def _plan(planned: Run, tune: bool) -> Plan:
    from setbench.bench.runner.listing import plan_text

    if tune:
        from setbench.bench.runner.tune import foresee

        foresee(planned)
    return Plan(planned.cells, planned.missing, planned.seconds(), plan_text(planned))
