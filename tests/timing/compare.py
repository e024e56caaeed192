"""Is anything slower than it was? ``python tests/timing/compare.py AFTER.json``, of ``--benchmark-json``.

Every timing is a multiple of the reference operation that was timed in turns with it. It is compared with the baseline
of this processor in results/timing, or with BEFORE.json where that is given first. The command prints a table and exits
with 1 where something has grown by more than ``--factor``. Where no baseline fits, this run becomes it.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from tabulate import tabulate

ROOT = Path(__file__).parents[2]
BASELINES = ROOT / "results" / "timing"


class Unusable(ValueError):
    """A file that cannot be compared, and why, in one line."""


@dataclass(frozen=True)
class Timing:
    """One benchmark: pytest's name for it, seconds on the processor, and which reference operation took how many."""

    test: str
    seconds: float
    reference: str
    reference_seconds: float

    @property
    def ratio(self) -> float:
        return self.seconds / self.reference_seconds


@dataclass(frozen=True)
class Run:
    """Timings by name, the machine that they are of, and the commit."""

    machine: str
    commit: str
    timings: Mapping[str, Timing]

    @property
    def baseline(self) -> Path:
        """Where the machine's baseline lies, or would."""
        return BASELINES / f"{re.sub('[^a-z0-9.]+', '-', self.machine.lower()).strip('-')}.json"


def read(path: Path) -> Run:
    """What pytest-benchmark's ``--benchmark-json`` has written, or :func:`keep`. Benchmarks without a reference beside
    them (see conftest.py) are left out.

    Raises:
        Unusable: no such file, no such format, or nothing in it that can be compared.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        timings = {
            one["name"]: Timing(test=one["fullname"], **one["extra_info"])
            for one in content["benchmarks"]
            if "reference" in one["extra_info"]
        }
        usable = timings and all(min(one.seconds, one.reference_seconds) > 0 for one in timings.values())
        run = Run(content["machine_info"]["baseline"], content["commit_info"]["id"], timings)
    except OSError as error:
        raise Unusable(f"{path}: {error.strerror}") from None
    except (ValueError, KeyError, TypeError) as error:
        raise Unusable(f"{path} is no file of --benchmark-json ({type(error).__name__}: {error})") from None
    if not usable:
        raise Unusable(f"{path} holds no timings beside a reference")
    return run


def keep(run: Run, path: Path) -> None:
    """What is compared alone, in the same format: without names of hosts and thousands of single timings."""
    benchmarks = [
        {
            "name": name,
            "fullname": one.test,
            "extra_info": {
                "seconds": one.seconds,
                "reference": one.reference,
                "reference_seconds": one.reference_seconds,
            },
        }
        for name, one in run.timings.items()
    ]
    content = {"machine_info": {"baseline": run.machine}, "commit_info": {"id": run.commit}, "benchmarks": benchmarks}
    path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


@dataclass(frozen=True)
class Change:
    """One timing in two runs, in reference operations; None where a run has it not, or beside another reference."""

    name: str
    before: float | None
    after: float | None

    @property
    def growth(self) -> float | None:
        return self.after / self.before if self.before and self.after else None

    def slower(self, factor: float) -> bool:
        return self.growth is not None and self.growth > factor

    def remark(self, factor: float) -> str:
        if self.growth is None:
            return "new" if self.before is None else "gone"
        return "slower" if self.slower(factor) else ""


def changes(before: Run, after: Run) -> list[Change]:
    """Every timing of either run, the one that has grown most first. Beside another reference it is another timing:
    the old one is gone, and one is new."""
    old, new = ({(name, one.reference): one.ratio for name, one in run.timings.items()} for run in (before, after))
    found = [Change(key[0], old.get(key), new.get(key)) for key in {**old, **new}]
    return sorted(found, key=lambda change: -(change.growth or 0.0))


def table(found: Sequence[Change], factor: float) -> str:
    """The changes, for a person to read."""
    rows = [(one.name, one.before, one.after, one.growth, one.remark(factor)) for one in found]
    headers = ("", "before / reference", "after / reference", "after / before", "")
    return tabulate(rows, headers=headers, floatfmt=("", ".3g", ".3g", ".2f", ""), missingval="–")


def timed_again(tests: Sequence[str]) -> Run:
    """A run of these benchmarks alone, of the code in hand.

    Raises:
        Unusable: a benchmark fails.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "again.json"
        command = [sys.executable, "-m", "pytest", *tests, "--benchmark-only", f"--benchmark-json={path}", "-q"]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        if done.returncode:
            said = (done.stdout.strip() or done.stderr.strip()).rpartition("\n")[2]
            raise Unusable(f"timed again, a benchmark failed: {said}")
        return read(path)


def at_best(one: Run, other: Run) -> Run:
    """The first run, where the second was faster with the second's timings."""
    faster = {name: timing for name, timing in other.timings.items() if timing.ratio < one.timings[name].ratio}
    return replace(one, timings={**one.timings, **faster})


def main(words: list[str] | None = None) -> int:
    """The command; 0: nothing has grown too much, 1: something has, 2: a file cannot be used."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("before", type=Path, nargs="?", help="default: the baseline of AFTER's processor")
    parser.add_argument("after", type=Path)
    parser.add_argument("--factor", type=float, default=1.25, help="growth that is too much (default 1.25)")
    parser.add_argument(
        "--again", type=int, default=0, metavar="N", help="time what has grown again, up to N times; the best counts"
    )
    arguments = parser.parse_args(words)
    try:
        return compared(arguments.before, arguments.after, arguments.factor, arguments.again)
    except Unusable as error:
        print(f"compare.py: {error}", file=sys.stderr)
        return 2


def compared(given: Path | None, path: Path, factor: float, again: int) -> int:
    after = read(path)
    if given is None and not after.baseline.exists():
        keep(after, after.baseline)
        print(f"no baseline for {after.machine}: this run's {len(after.timings)} timings are it now, {after.baseline}")
        return 0
    before = read(given or after.baseline)
    found = changes(before, after)
    for _ in range(again):
        suspects = [after.timings[one.name].test for one in found if one.slower(factor)]
        if not suspects:
            break
        print(f"{len(suspects)} grew by more than {factor:g} times; timed again: {', '.join(suspects)}", flush=True)
        after = at_best(after, timed_again(suspects))
        found = changes(before, after)
    print(f"before: {before.machine}, commit {before.commit:.12}\nafter:  {after.machine}, commit {after.commit:.12}\n")
    print(table(found, factor))
    slower = sum(one.slower(factor) for one in found)
    print(f"\n{slower} of {len(found)} grew by more than {factor:g} times")
    return 1 if slower else 0


if __name__ == "__main__":
    sys.exit(main())
