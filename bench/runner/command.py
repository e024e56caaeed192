"""The command line: what was typed becomes a run, and what went wrong becomes one line."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn

from setbench import refusal

if refusal():  # before the imports below, which need what only Unix has
    sys.exit(refusal())

from setbench import console  # noqa: F401  # what spells out characters that a pipe does not have
from setbench.bench.runner.driver import Run, program
from setbench.bench.runner.listing import catalogue_text, entry_text, plan_text
from setbench.bench.runner.options import Options
from setbench.bench.runner.parser import parser, run_options
from setbench.bench.scaling.run import Scaling
from setbench.plugins import plug_in

NO_PLAN = ("report_only", "scaling", "latex", "cite", "check")
EXIT_LEFT, EXIT_INTERRUPTED, EXIT_TERMINATED = 3, 130, 143


class Terminated(KeyboardInterrupt):
    """SIGTERM: ended politely, as with Ctrl-C, by another exit code."""


def main(words: list[str] | None = None) -> int:
    """Run the command; the exit code: 0 all well, 1 a cell failed, 2 bad input, 3 the time budget left cells over, 130
    interrupted, 143 terminated."""
    given = vars(parser().parse_args(words))
    try:
        for path in given.get("plugins", ()):
            plug_in(Path(path))
        if "list" in given:
            print(entry_text(given["list"]) if given["list"] else catalogue_text())
            return 0
        if "check" in given:
            return check(given["check"])
        if "dry_run" in given and (other := next((word for word in NO_PLAN if word in given), None)):
            raise ValueError(f"--dry-run: --{other.replace('_', '-')} has no plan to show; leave one of the two out")
        options = run_options(given)
        if "latex" in given or "cite" in given:
            return paper(options, given)
        run = Scaling(options, given, given["scaling"]) if "scaling" in given else Run(options)
        if "tune" in given and isinstance(run, Run):
            run.refuse_to_tune()
    except BrokenPipeError:
        raise
    except (ValueError, OSError) as error:
        print(f"{program()}: {error}", file=sys.stderr)
        return 2
    if "dry_run" in given and isinstance(run, Run):
        if "tune" in given:
            from setbench.bench.runner.tune import foresee

            foresee(run)
        print(plan_text(run))
        return 0
    for number in (signal.SIGINT, signal.SIGTERM):
        if signal.getsignal(number) is not signal.SIG_IGN:  # as a shell has it for its background jobs
            signal.signal(number, _stop)
    code = 0
    try:
        if isinstance(run, Run):
            if "tune" in given:
                from setbench.bench.runner.tune import tune

                return tune(run) or (EXIT_LEFT if run.left else 0)
            if run.options.replay:
                from setbench.bench.runner.replay import replay

                replay(run)
        code = 0 if "report_only" in given or run.execute() else 1
        code = code or (EXIT_LEFT if isinstance(run, Run) and run.left else 0)
    except KeyboardInterrupt as stop:
        code = EXIT_TERMINATED if isinstance(stop, Terminated) else EXIT_INTERRUPTED
        print("interrupted: what was finished is kept; the same command goes on from there", file=sys.stderr)
    except OSError as error:
        print(f"{program()}: {error}", file=sys.stderr)
        return 1
    try:
        if isinstance(run, Run):
            report(run, ranked="report_only" not in given)
        else:
            print(f"tables and figures: {run.report()[0]}")
    except OSError as error:
        what = "leaderboard" if isinstance(run, Run) else "tables"
        print(f"{program()}: the {what} could not be written: {error}", file=sys.stderr)
        return code or 1
    return code


def _stop(number: int, frame: Any) -> NoReturn:
    """At the first signal; a second one must take neither the cells' ending nor the summary away."""
    for ignored in (signal.SIGINT, signal.SIGTERM):
        signal.signal(ignored, signal.SIG_IGN)
    raise Terminated if number == signal.SIGTERM else KeyboardInterrupt


def report(run: Run, *, ranked: bool) -> None:
    """Write the leaderboard of all records in the results folder, and print how the rows of this run stand in it or,
    where it is not ``ranked``, which row is best on every task."""
    from setbench.bench.report import summary

    records = run.report()
    ran = {cell.identity for cell in run.cells} if ranked else set()
    print(summary(records, ran, folder=run.options.results))
    print(f"leaderboard: {run.options.results / 'leaderboard.md'}")


def paper(options: Options, given: Mapping[str, Any]) -> int:
    """``--latex`` and ``--cite``, from the records that there are."""
    from setbench.bench.records.store import Store

    records = Store(options.results, lambda line: print(line, file=sys.stderr)).all()
    if "cite" in given:
        from setbench.bench.report.cite import citation

        names = [*(options.models or ()), *(options.decoders or ())]
        print(citation(names, records if "results" in given else []))
        return 0
    if not records:
        raise ValueError(f"--latex: no records in {options.results}; name a folder that has some with --results")
    from setbench.bench.report.latex import write_tables

    *_, document = write_tables(records, options.results)
    print(f"tables: {document.parent}/*.tex, all in {document.name}")
    return 0


def check(folder: Path) -> int:
    """``--check``: what a reviewer would object to; 1 where there is anything."""
    from setbench.bench.review.check import check as findings

    lines, looked_at = findings(folder)
    print("\n".join([*lines, looked_at]))
    return 1 if lines else 0


def entry() -> NoReturn:
    """``python run_all.py`` and the installed ``setbench`` command."""
    for stream in (sys.stdout, sys.stderr):  # a pipe of another encoding must not end a healthy run
        stream.reconfigure(errors="spell_out")  # type: ignore[union-attr]
    try:
        sys.exit(main())
    except KeyboardInterrupt as stop:
        sys.exit(EXIT_TERMINATED if isinstance(stop, Terminated) else EXIT_INTERRUPTED)
    except BrokenPipeError:  # whoever read our lines has seen enough, as in ``--list | head``
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
