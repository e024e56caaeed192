"""Is a module of a file a function of sets? The exit code: 0 if it is what is expected, 1 if not, 2 for bad input."""

from __future__ import annotations

import argparse
import ast
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from torch import nn

from setbench.files import error_line
from setbench.models.check import check
from setbench.models.check.calls import CALLS
from setbench.models.check.verdict import TOLERANCE
from setbench.options import nearest
from setbench.plugins import plug_in

EXPECT = ("invariant", "equivariant", "either")


def main(words: Sequence[str] | None = None) -> int:
    """Build the class, check it, print what was found."""
    parser = argparse.ArgumentParser(
        prog="python -m setbench.models.check", usage="%(prog)s FILE:CLASS [options]", description=__doc__
    )
    parser.add_argument("target", metavar="FILE:CLASS", help="a Python file and a torch.nn.Module in it")
    parser.add_argument("--arg", action="append", default=[], metavar="NAME=VALUE", help="of its constructor")
    parser.add_argument("--features", type=int, default=3, metavar="N", help="of an element (default 3)")
    parser.add_argument("--size", type=int, default=10, metavar="N", help="elements of a set (default 10)")
    how = "how it is called: " + ", ".join(f"{call} ({text})" for call, text in CALLS.items())
    parser.add_argument("--call", metavar="WAY", help=f"{how} (default: by the names of its arguments)")
    parser.add_argument("--train", action="store_true", help="check it in training mode, not in evaluation mode")
    parser.add_argument("--tolerance", type=float, default=TOLERANCE, metavar="ERROR", help="default %(default)g")
    parser.add_argument(
        "--expect", choices=EXPECT, default="either", help="what exit code 0 stands for (default either)"
    )
    given = parser.parse_args(words)
    try:
        module = build(given.target, arguments(given.arg)).train(given.train)
        found = check(module, features=given.features, size=given.size, call=given.call, tolerance=given.tolerance)
    except ValueError as error:
        print(f"{parser.prog}: {error}", file=sys.stderr)
        return 2
    print(found)
    answers = {"invariant": found.invariant, "equivariant": found.equivariant, "either": bool(found)}
    return 0 if answers[given.expect] and found.ignores_padding is not False else 1


def arguments(words: Sequence[str]) -> dict[str, Any]:
    """``hidden=64`` as Python reads it; what is no literal is text."""
    found: dict[str, Any] = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not equals or not name.isidentifier():
            raise ValueError(f"--arg {word}: write NAME=VALUE")
        try:
            found[name] = ast.literal_eval(value)
        except (ValueError, SyntaxError):
            found[name] = value
    return found


def build(target: str, values: dict[str, Any]) -> nn.Module:
    """An instance of FILE:CLASS.

    Raises:
        ValueError: no such file or class, no module, or it cannot be built so; one line.
    """
    file, colon, name = target.rpartition(":")
    if not colon:
        raise ValueError(f"{target}: write FILE:CLASS, as my_model.py:MyNet")
    try:
        module = sys.modules[plug_in(Path(file))]
    except ValueError as error:
        raise ValueError(str(error).removeprefix("--plugin ")) from error
    classes = [key for key, value in vars(module).items() if isinstance(value, type) and issubclass(value, nn.Module)]
    if name not in classes:
        raise ValueError(f"{target}: no torch.nn.Module is called {name!r} there; {nearest(name, classes)}")
    try:
        built = getattr(module, name)(**values)
    except Exception as error:  # a constructor may raise anything
        raise ValueError(
            f"{target}: it cannot be built: {error_line(error)}; --arg NAME=VALUE gives arguments"
        ) from error
    assert isinstance(built, nn.Module)
    return built


if __name__ == "__main__":
    sys.exit(main())
