"""The command line that all experiments share: carry out a study, write its page."""

from __future__ import annotations

import argparse
import shlex
import sys
from pathlib import Path

from setbench.bench.experiments.page import publish
from setbench.bench.experiments.study import Lines, Study, carry_out, measures, minutes, reported, work
from setbench.bench.records.machine import commit
from setbench.files import error_line, write_atomically

OUT = Path("results/experiments")


def main(study: Study, words: list[str] | None = None) -> None:
    """Carry out what is missing and write ``OUT/NAME``: lines.jsonl, runs.csv, figure.png and README.md. Lines that
    were made with uncommitted changes are kept apart, in unclean.jsonl."""
    try:
        _main(study, sys.argv[1:] if words is None else words)
    except KeyboardInterrupt:
        sys.exit(f"{study.name}: stopped; the same command goes on")
    except OSError as error:
        sys.exit(f"{study.name}: {error_line(error)}")


def _main(study: Study, words: list[str]) -> None:
    asked = _parser(study).parse_args(words)
    if commit()[1] and not (asked.unclean or asked.dry_run):
        sys.exit(f"{study.name}: the tree has uncommitted changes; commit them, or --unclean marks the page")
    folder = asked.out / study.name
    lines = Lines(folder / ("unclean.jsonl" if commit()[1] else "lines.jsonl"))
    if asked.dry_run:
        todo = work(study, lines, asked.seeds, asked.scale)
        left = (
            f"{sum(one.runs for one in todo)} runs and {sum(one.trials for one in todo)} trials of {len(todo)} settings"
        )
        print(f"{study.name}: {left}, about {minutes(study, lines, asked.seeds, asked.scale):.1f} minutes on one core")
        return
    carry_out(study, lines, asked.seeds, asked.scale)
    runs = reported(study, lines, asked.seeds, asked.scale)
    rows = measures(runs)
    if rows.empty:
        sys.exit(f"{study.name}: every run diverged; there is nothing to show")
    write_atomically(folder / "runs.csv", rows.to_csv(index=False, float_format="%.6g"))
    command = shlex.join(["python", "-m", f"setbench.bench.experiments.{study.name}", *words])
    made = [line for line in lines.kept.values() if line.scale == asked.scale]
    findings = publish(folder, study, runs, made, rows, command)
    print("\n".join([*findings, f"written: {folder}"]))


def _parser(study: Study) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog=f"python -m setbench.bench.experiments.{study.name}", description=study.title)
    parser.add_argument("--out", type=Path, default=OUT, metavar="DIR", help=f"default {OUT}; the study's folder in it")
    parser.add_argument(
        "--seeds", type=_count, default=study.seeds, help=f"how many, from 0 on (default {study.seeds})"
    )
    parser.add_argument(
        "--scale", type=_share, default=1.0, help="a share of the steps and examples, to try it; 1 is the whole"
    )
    parser.add_argument("--dry-run", action="store_true", help="say how many minutes it would take")
    parser.add_argument("--unclean", action="store_true", help="run with uncommitted changes, and say so on the page")
    return parser


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"{text!r} should be a whole number above 0")
    return int(text)


def _share(text: str) -> float:
    try:
        share = float(text)
    except ValueError:
        share = 0.0
    if not 0 < share <= 1:
        raise argparse.ArgumentTypeError(f"{text!r} should be a number above 0, at most 1")
    return share
