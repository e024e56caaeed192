"""The page of the protocol says what there is to run, and that it fits into a day."""

from __future__ import annotations

import re

from setbench.bench.maintenance.protocol import MARKED, PAGE, stages


def test_the_page_has_todays_stages_within_a_day() -> None:
    """Their cells are those of the plan, and all timed; else: python -m setbench.bench.maintenance.protocol."""
    found = stages()
    page = PAGE.read_text(encoding="utf-8")
    marked = MARKED.search(page)
    assert marked
    said = re.findall(r"^\| (.+?) +\| ([\d,]+) +\| ([\d.]+) +\|$", marked[0], re.MULTILINE)
    cells = [(stage.title, f"{stage.cells:,}") for stage in found]
    assert [(title, count) for title, count, _ in said] == [*cells, ("all", f"{sum(one.cells for one in found):,}")]
    assert [stage.title for stage in found if stage.unknown] == []
    assert float(said[-1][2]) <= 24
