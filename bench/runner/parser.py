"""The words of the command line, made from the list of a run's options."""

from __future__ import annotations

import argparse
import difflib
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn, get_args

import shtab

from setbench import __version__
from setbench.bench.plan.presets import PRESETS, load
from setbench.bench.records.record import Precision
from setbench.bench.runner.driver import command_line, program
from setbench.bench.runner.options import Argument, Options, arguments, flag, options
from setbench.models.catalogue import CATALOGUE
from setbench.tasks.catalogue import SHORT_FORMS, TASKS


class OneLine(argparse.ArgumentParser):
    """A parser whose errors are one line, with the nearest valid word where there is one."""

    def error(self, message: str) -> NoReturn:
        wrong = re.search(r"unrecognized arguments: ([^\s']+)", message)
        known = [word for action in self._actions for word in action.option_strings]
        near = difflib.get_close_matches(wrong[1], known, n=1, cutoff=0.7) if wrong else []
        hint = f"; did you mean {near[0]}?" if near else ""
        self.exit(2, f"{self.prog}: {message}{hint} (see --help)\n")


class Suggestions(tuple[str, ...]):
    """Words that a shell offers; what is typed may hold options too, so any other word passes, and is read later."""

    def __contains__(self, word: object) -> bool:
        return True


def parser() -> argparse.ArgumentParser:
    """The command line, made from the list of a run's options: only the words; :class:`Options` reads what they say."""
    made = OneLine(
        prog=program(),
        description="Compare permutation-invariant architectures on set tasks: plans the cross of models and tasks, "
        "runs what is missing, writes RESULTS/leaderboard.md. The same command again does only what is missing.",
        epilog="presets: " + "; ".join(f"{name}: {load(name).about}" for name in PRESETS),
        allow_abbrev=False,
        argument_default=argparse.SUPPRESS,
    )
    completions = {"tasks": TASKS, "preset": PRESETS, "device": ("auto", "cpu", "cuda"), "engine": ("local", "ray")}
    completions["precision"] = get_args(Precision)
    completions |= {
        name: [entry.name for entry in CATALOGUE.values() if entry.kind in kinds]
        for name, kinds in {"models": ("encoder", "predictor"), "decoders": ("decoder",)}.items()
    }
    for name, argument in arguments().items():
        if not argument.hidden:
            _add(made, name, argument, tuple(completions.get(name, ())))
    for name, option in SHORT_FORMS.items():
        made.add_argument(flag(name), metavar="|".join(map(str, option.choices)), help=option.meaning)
    instead = made.add_mutually_exclusive_group()
    instead.add_argument(
        "--list", nargs="*", metavar="NAME", help="list tasks, models and decoders, or one's options; then stop"
    )
    made.add_argument(
        "--dry-run",
        action="store_true",
        help="show the plan, why cells will not run, and an estimate of time, with --tune of its trials; then stop",
    )
    for word, meaning in {
        "report-only": "write the leaderboard from the records there are, and stop",
        "latex": "write the tables of the records there are for a paper, RESULTS/tables/*.tex, and stop",
        "cite": "print BibTeX of the suite, with --results or --models the papers behind their rows too; then stop",
        "tune": "choose learning rates on the validation split; writes RESULTS/tuned.toml, and its trials beside it",
    }.items():
        instead.add_argument(f"--{word}", action="store_true", help=meaning)
    instead.add_argument(
        "--check",
        type=Path,
        metavar="DIR",
        help="go through committed results as a reviewer would: one line a finding, exit code 1 where there is one",
    )
    instead.add_argument(
        "--scaling",
        nargs="?",
        metavar="SIZE",
        help="measure how the time and memory of encoders grow with the set's size, up to SIZE (default 4096), and "
        "write RESULTS/scaling/; what is measured stays",
    )
    made.add_argument("--version", action="version", version=f"setbench {__version__}")
    shtab.add_argument_to(made, "--print-completion", help="of the shell named: bash, zsh or tcsh")
    made._actions[-1].metavar = "SHELL"  # in place of all that there are, in a line wider than a terminal
    return made


def _add(made: argparse.ArgumentParser, name: str, argument: Argument, known: tuple[str, ...]) -> None:
    if argument.switch:
        made.add_argument(flag(name), dest=name, action="store_true", help=argument.meaning)
        return
    action = made.add_argument(
        flag(name), dest=name, nargs="+" if argument.many else None, metavar=argument.metavar, help=argument.meaning
    )
    if argument.metavar in ("DIR", "FILE"):
        action.complete = shtab.DIRECTORY if argument.metavar == "DIR" else shtab.FILE  # type: ignore[attr-defined]
    elif known:
        action.choices = Suggestions(known)


def run_options(given: Mapping[str, Any]) -> Options:
    """What was typed, as a run's options.

    Raises:
        UnknownName: a name or a value that there is not, in one line.
    """
    typed = {name: value for name, value in given.items() if name in arguments()}
    short = {name: given[name] for name in SHORT_FORMS if name in given}
    return options({**({"task_options": short} if short else {}), **typed, "command": command_line()})
