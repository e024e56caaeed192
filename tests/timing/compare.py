"""Compare two runs of the timings, as multiples of each run's own reference operation.

``python tests/timing/compare.py BEFORE.json AFTER.json`` prints a table and exits with 1 where something has grown by
more than ``--factor``. ``--keep FILE`` leaves AFTER's medians alone, without its thousands of single timings.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tabulate import tabulate

REFERENCE = "test_reference"


class Unusable(ValueError):
    """A file that cannot be compared, and why, in one line."""


@dataclass(frozen=True)
class Timings:
    """One run: the processor, and median seconds by name."""

    processor: str
    medians: Mapping[str, float]

    def ratios(self) -> dict[str, float]:
        """Medians over the reference's."""
        reference = self.medians[REFERENCE]
        return {name: median / reference for name, median in self.medians.items() if name != REFERENCE}


def read(path: Path) -> Timings:
    """What pytest-benchmark's ``--benchmark-json`` has written, or :func:`keep`.

    Raises:
        Unusable: no such file, no such format, or no reference operation in it.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        medians = {one["name"]: float(one["stats"]["median"]) for one in content["benchmarks"]}
        processor = content["machine_info"]["cpu"]["brand_raw"]
    except OSError as error:
        raise Unusable(f"{path}: {error.strerror}") from None
    except (ValueError, KeyError, TypeError) as error:
        raise Unusable(f"{path} is no file of --benchmark-json ({type(error).__name__}: {error})") from None
    if medians.get(REFERENCE, 0) <= 0:
        raise Unusable(f"{path} holds no {REFERENCE}; run the whole of tests/timing")
    return Timings(processor, medians)


def keep(timings: Timings, path: Path) -> None:
    """The medians alone, in the same format."""
    content = {
        "machine_info": {"cpu": {"brand_raw": timings.processor}},
        "benchmarks": [{"name": name, "stats": {"median": median}} for name, median in timings.medians.items()],
    }
    path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


@dataclass(frozen=True)
class Change:
    """One timing in two runs, in reference operations; None where a run has it not."""

    name: str
    before: float | None
    after: float | None

    @property
    def growth(self) -> float | None:
        return self.after / self.before if self.before and self.after else None


def changes(before: Timings, after: Timings) -> list[Change]:
    """Every timing of either run, the one that has grown most first."""
    old, new = before.ratios(), after.ratios()
    found = [Change(name, old.get(name), new.get(name)) for name in {**old, **new}]
    return sorted(found, key=lambda change: -(change.growth or 0.0))


def table(found: list[Change], factor: float) -> str:
    """The changes, for a person to read."""
    rows = [(one.name, one.before, one.after, one.growth, _remark(one, factor)) for one in found]
    headers = ("", "before / reference", "after / reference", "after / before", "")
    return tabulate(rows, headers=headers, floatfmt=("", ".3g", ".3g", ".2f", ""), missingval="–")


def _remark(change: Change, factor: float) -> str:
    if change.growth is None:
        return "new" if change.before is None else "gone"
    return "slower" if change.growth > factor else ""


def main(words: list[str] | None = None) -> int:
    """The command; 0: nothing has grown too much, 1: something has, 2: a file cannot be used."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("before", type=Path)
    parser.add_argument("after", type=Path)
    parser.add_argument("--factor", type=float, default=1.5, help="growth that is too much (default 1.5)")
    parser.add_argument("--keep", type=Path, metavar="FILE", help="write the medians of the second run here")
    arguments = parser.parse_args(words)
    try:
        before, after = read(arguments.before), read(arguments.after)
    except Unusable as error:
        print(f"compare.py: {error}", file=sys.stderr)
        return 2
    found = changes(before, after)
    print(f"before: {before.processor}\nafter:  {after.processor}\n")
    print(table(found, arguments.factor))
    if arguments.keep:
        keep(after, arguments.keep)
    slower = sum(_remark(one, arguments.factor) == "slower" for one in found)
    print(f"\n{slower} of {len(found)} grew by more than {arguments.factor:g} times")
    return 1 if slower else 0


if __name__ == "__main__":
    sys.exit(main())
