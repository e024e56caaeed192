"""The command: one line a model; it exits with 0 where all laws hold, 1 where one is broken, 2 for a wrong name."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from setbench.models.catalogue import model_specs, parse
from setbench.models.contract import ENTRY, KINDS, broken_laws, laws_of
from setbench.plugins import plug_in


def main(words: Sequence[str]) -> int:
    """Check these models (all where none is given)."""
    parser = argparse.ArgumentParser(prog="python -m setbench.models.contract", description=main.__doc__)
    parser.add_argument(
        "--plugin", type=Path, action="append", default=[], metavar="FILE", help="a file that registers models"
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help="a model, as on the command line: janossy:k=3")
    given = parser.parse_args(words)
    try:
        for file in given.plugin:
            plug_in(file)
        checked = [parse(name, KINDS) for name in given.names] or model_specs(*KINDS)
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2
    failures = 0
    for model in checked:
        broken, count = broken_laws(model), len(laws_of(model))
        failures += bool(broken)
        if ENTRY in broken:
            print(f"{model.name}: {broken[ENTRY]}")
            continue
        print(f"{model.name}: " + (f"{len(broken)} of {count} laws broken" if broken else f"all {count} laws hold"))
        for law, seen in broken.items():
            print(f"  {law}: {seen}")
    return min(failures, 1)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
