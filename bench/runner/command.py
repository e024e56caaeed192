"""The command line: what was typed becomes a run, and what went wrong becomes one line."""

from __future__ import annotations

import argparse
import difflib
import os
import re
import signal
import sys
from pathlib import Path
from typing import NoReturn

from setbench.bench.plan.presets import PRESETS, load
from setbench.bench.runner.driver import Options, Run, command_line
from setbench.bench.runner.listing import catalogue_text, plan_text
from setbench.bench.runner.plugins import plug_in


def seeds(text: str) -> tuple[int, ...]:
    """``0``, ``0-5`` or ``0,3,7-9`` as numbers."""
    found: list[int] = []
    try:
        for part in text.split(","):
            first, dash, last = part.partition("-")
            span = range(int(first), int(last if dash else first) + 1)
            if not span:
                raise ValueError
            found += span
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no list of seeds; write 0, 0-5 or 0,3,7-9") from None
    return tuple(dict.fromkeys(found))


def positive(kind: type) -> object:
    """An argument type: a number above zero."""

    def read(text: str) -> float:
        try:
            value = kind(text)
        except ValueError:
            value = 0
        if not 0 < value < float("inf"):
            raise argparse.ArgumentTypeError(f"{text!r} should be a {'whole ' * (kind is int)}number above 0")
        return value

    return read


class OneLine(argparse.ArgumentParser):
    """A parser whose errors are one line, with the nearest valid word where there is one."""

    def error(self, message: str) -> NoReturn:
        wrong = re.search(r"(?:unrecognized arguments: |invalid choice: ')([^\s']+)", message)
        known = [word for action in self._actions for word in (*action.option_strings, *(action.choices or ()))]
        near = difflib.get_close_matches(wrong[1], known, n=1, cutoff=0.7) if wrong else []
        hint = f"; did you mean {near[0]}?" if near else ""
        self.exit(2, f"{self.prog}: {message}{hint} (see --help)\n")


def parser() -> argparse.ArgumentParser:
    """The command line."""
    made = OneLine(
        prog="run_all.py",
        description="Compare permutation-invariant architectures on set tasks: plans the cross of models and tasks, "
        "runs what is missing, writes RESULTS/leaderboard.md. The same command again does only what is missing.",
        epilog="presets: " + "; ".join(f"{name}: {load(name).about}" for name in PRESETS),
        allow_abbrev=False,
    )
    add = made.add_argument
    add("--tasks", nargs="+", metavar="TASK", help="tasks by name (default: all; see --list)")
    add("--models", nargs="+", metavar="MODEL", help="set encoders, with options as in NAME:option=value")
    add("--decoders", nargs="+", metavar="DECODER", help="set decoders, with options as in NAME:option=value")
    add("--seeds", type=seeds, default=(0,), help="as 0, 0-5 or 0,3,7-9 (default 0)")
    add("--preset", choices=PRESETS, default="quick", metavar="PRESET", help=f"{', '.join(PRESETS)} (default quick)")
    add("--device", choices=("auto", "cpu", "cuda"), default="auto", help="where to compute (default auto)")
    add("--results", type=Path, default=Path("results/local"), metavar="DIR", help="default results/local")
    add("--data", type=Path, metavar="DIR", help="holds mnist/, and CLEVR in its released layout")
    add("--clevr", choices=("rendered", "real"), default="rendered", help="our own scenes (default) or CLEVR v1.0")
    add(
        "--test-on",
        choices=("same", "real"),
        default="same",
        help="real: models trained on rendered scenes are tested on CLEVR v1.0 from --data",
    )
    add(
        "--plugin",
        type=Path,
        nargs="+",
        default=(),
        metavar="FILE",
        help="your own Python files of models or tasks",
    )
    add("--list", action="store_true", help="list tasks, models and decoders, and stop")
    add("--dry-run", action="store_true", help="show the plan, why cells will not run, and an estimate of time")
    add("--retry-failed", action="store_true", help="run cells again that failed, were killed or ran out")
    add("--fail-fast", action="store_true", help="stop at the first cell that fails")
    add("--time-limit", type=positive(float), metavar="SECONDS", help="a cell's")  # type: ignore[arg-type]
    add("--memory-limit", type=positive(float), metavar="GB", help="a cell's")  # type: ignore[arg-type]
    add("--jobs", type=positive(int), metavar="N", help="cells at once (default: one a core; 1 on a GPU)")  # type: ignore[arg-type]
    add("--figures", action="store_true", help="draw predictions beside the truth, and the steps of decoders that iterate")
    add("--report-only", action="store_true", help="write the leaderboard from the records there are, and stop")
    add("--tune", action="store_true", help="choose learning rates on the validation split, and write them down")
    return made


def options(arguments: argparse.Namespace) -> Options:
    """What was typed, as a run's options. Lists may be separated by spaces or commas."""

    def names(given: list[str] | None) -> list[str] | None:
        if given is None:
            return None
        return [name for word in given for name in ([word] if ":" in word else word.split(",")) if name]

    return Options(
        tasks=names(arguments.tasks),
        models=names(arguments.models),
        decoders=names(arguments.decoders),
        seeds=arguments.seeds,
        preset=arguments.preset,
        device=arguments.device,
        results=arguments.results,
        data=arguments.data,
        clevr=arguments.clevr,
        test_on=arguments.test_on,
        retry_failed=arguments.retry_failed,
        fail_fast=arguments.fail_fast,
        time_limit=arguments.time_limit,
        memory_limit=arguments.memory_limit,
        jobs=arguments.jobs,
        figures=arguments.figures,
        plugins=arguments.plugin,
        command=command_line(),
    )


def main(words: list[str] | None = None) -> int:
    """Run the command; the exit code: 0 all well, 1 a cell failed, 2 bad input, 130 interrupted."""
    arguments = parser().parse_args(words)
    try:
        for path in arguments.plugin:
            plug_in(path)
        run = None if arguments.list else Run(options(arguments))
    except (ValueError, OSError) as error:
        print(f"run_all.py: {error}", file=sys.stderr)
        return 2
    if run is None:
        print(catalogue_text())
        return 0
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # ended politely: as with Ctrl-C
    if arguments.dry_run:
        print(plan_text(run))
        return 0
    try:
        if arguments.tune:
            from setbench.bench.runner.tune import tune

            return tune(run)
        code = 0 if arguments.report_only or run.execute() else 1
    except KeyboardInterrupt:
        print("interrupted: what was finished is kept; the same command goes on from there", file=sys.stderr)
        code = 130
    except OSError as error:
        print(f"run_all.py: {error}", file=sys.stderr)
        return 1
    try:
        report(run)
    except OSError as error:
        print(f"run_all.py: the leaderboard could not be written: {error}", file=sys.stderr)
        return code or 1
    return code


def report(run: Run) -> None:
    """Write the leaderboard of all records in the results folder and print a summary of this run's."""
    from setbench.bench.report import summary, write_report

    write_report(run.store.all(), run.options.results, pictures=run.options.figures)
    print(summary(run.results()))
    print(f"leaderboard: {run.options.results / 'leaderboard.md'}")


def entry() -> NoReturn:
    """``python run_all.py`` and the installed ``setbench`` command."""
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:  # whoever read our lines has seen enough, as in ``--list | head``
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
