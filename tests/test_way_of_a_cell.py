"""The way of one cell from run_all.py to its record is the one that docs/design.md lists."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
DESIGN = ROOT / "docs" / "design.md"


def test_the_design_lists_the_way_of_a_cell() -> None:
    done = subprocess.run(
        [sys.executable, "tests/way_of_a_cell.py"], cwd=ROOT, capture_output=True, text=True, check=True, timeout=120
    )
    walked = done.stdout[done.stdout.index("| file |") :].strip()
    print(walked)
    listed = re.search(r"<!-- way -->\n(.*)\n<!-- /way -->", DESIGN.read_text(encoding="utf-8"), re.DOTALL)
    assert listed is not None
    today, page = (dict(re.findall(r"\| `?([^`|]+?)`? \| \**([\d,]+)\** \|", text)) for text in (walked, listed[1]))
    assert list(today) == list(page), "python tests/way_of_a_cell.py prints today's"
    for name, lines in today.items():  # a line more or less need not be written down at once
        now, then = (int(number.replace(",", "")) for number in (lines, page[name]))
        assert abs(now - then) <= max(5, 0.05 * then), f"{name}: python tests/way_of_a_cell.py prints today's"
    for passed in ("run_cell.py", "train.py", "evaluate.py", "measure.py", "driver.py", "execute.py", "store.py"):
        assert passed in walked  # the walk sees what it should see
