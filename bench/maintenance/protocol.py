"""The stages of docs/protocol.md: their commands, their cells and their hours.

``python -m setbench.bench.maintenance.protocol`` plans every stage from nothing, as ``--dry-run`` does, and puts the
table into docs/protocol.md. A test holds the page's cells to the plan's.
"""

from __future__ import annotations

import re
import shlex
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from tabulate import tabulate

from setbench.bench.plan.estimate import cpu_unit_seconds
from setbench.bench.runner.driver import Run
from setbench.bench.runner.parser import parser, run_options
from setbench.bench.runner.tune import foresee
from setbench.files import write_atomically

PAGE = Path(__file__).resolve().parents[2] / "docs" / "protocol.md"
MARKED = re.compile(r"(?<=<!-- hours -->\n\n).*(?=\n\n<!-- /hours -->)", re.DOTALL)

SWEEP = (
    "--preset sweep --tasks arithmetic_sum arithmetic_range arithmetic_unique_sum arithmetic_unique_count "
    "arithmetic_variance set_digits_classes set_digits clevr_state"
)

STAGES = {
    "1. the untuned sweep": f"{SWEEP} --set learning_rate=1e-3",
    "3. tuning: the sweep's representatives": f"{SWEEP} --tune",
    "3. tuning: desk, and so quick": "--preset desk --tune",
    "4. tables: sweep": SWEEP,
    "4. tables: quick": "--preset quick --seeds 0-2",
    "4. tables: desk": "--preset desk --seeds 0-2",
}
"""Stage -> the words of its command. The second stage, the choice of rows, takes seconds."""


@dataclass(frozen=True)
class Stage:
    """What a stage runs, and the seconds that it takes on two cores, as far as they are known."""

    title: str
    cells: int
    unknown: int
    seconds: float


def stages() -> list[Stage]:
    """Every stage, planned from nothing."""
    return [Stage(title, *_planned(words)) for title, words in STAGES.items()]


def _planned(words: str) -> tuple[int, int, float]:
    """Cells to run, those of them of which nothing is known, and seconds, of one command.

    By processor time, so that a busy machine gives the hours of an idle one.
    """
    with tempfile.TemporaryDirectory() as folder:
        given = vars(parser().parse_args([*shlex.split(words), "--jobs", "2", "--device", "cpu", "--results", folder]))
        run = Run(run_options(given))
        if "tune" in given:
            foresee(run)
        due = [cell for cell in run.missing if not cell.blocked]
        idle = cpu_unit_seconds(time.process_time) / run.estimate.reference
        return len(due), run.estimate.unknown(due), run.seconds() * idle


def table(found: list[Stage]) -> str:
    """The stages in Markdown, with their sum."""
    rows = [(one.title, f"{one.cells:,}", f"{one.seconds / 3600:.1f}") for one in found]
    rows.append(("all", f"{sum(one.cells for one in found):,}", f"{sum(one.seconds for one in found) / 3600:.1f}"))
    return tabulate(rows, ("stage", "cells", "hours"), tablefmt="github", disable_numparse=True)


def main() -> None:
    """Put the table into the page."""
    found = stages()
    text = table(found)
    print(text)
    unknown = sum(one.unknown for one in found)
    if unknown:
        print(
            f"of {unknown} cells nothing is known: python -m setbench.bench.maintenance.steps PRESET times their steps"
        )
    write_atomically(PAGE, MARKED.sub(lambda _: text, PAGE.read_text(encoding="utf-8")))


if __name__ == "__main__":
    main()
