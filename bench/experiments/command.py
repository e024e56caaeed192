"""The command line that all experiments share."""

from __future__ import annotations

import argparse
import shlex
import sys
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Arguments:
    """What an experiment was asked for, and the command that asked it."""

    steps: int
    seeds: int
    out: Path
    command: str


def read_arguments(name: str, about: str, steps: int, seeds: int, words: list[str] | None = None) -> Arguments:
    """Read ``--steps``, ``--seeds`` and ``--out``; the first two have the experiment's own defaults."""
    words = sys.argv[1:] if words is None else words
    parser = argparse.ArgumentParser(prog=f"python -m setbench.bench.experiments.{name}", description=about)
    parser.add_argument("--steps", type=_positive, default=steps, help=f"optimiser steps a run (default {steps})")
    parser.add_argument("--seeds", type=_positive, default=seeds, help=f"seeds 0, 1, … (default {seeds} of them)")
    default = Path("results/experiments") / name
    parser.add_argument("--out", type=Path, default=default, metavar="DIR", help=f"default {default}")
    found = parser.parse_args(words)
    command = shlex.join(["python", "-m", f"setbench.bench.experiments.{name}", *words])
    return Arguments(found.steps, found.seeds, found.out, command)


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"{text!r} should be a whole number above 0")
    return int(text)
