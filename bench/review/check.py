"""``--check DIR``: one line a kind of finding, and the exit code."""

from __future__ import annotations

from pathlib import Path

from setbench.bench.report.document import one_line
from setbench.bench.report.numbers import many
from setbench.bench.review.findings import KINDS, reviewed
from setbench.bench.review.reading import read

SHOWN = 3


def check(folder: Path) -> tuple[list[str], str]:
    """The findings, a line a kind with how many there are and the first few; and what was looked at, in a line.

    Raises:
        ValueError: the folder is not there or holds no records; one line.
    """
    found = reviewed(folder, read(folder))
    lines = []
    for kind in KINDS:
        cases = list(kind(found))
        if cases:
            shown = "; ".join(one_line(case, 160) for case in cases[:SHOWN])
            more = f"; and {len(cases) - SHOWN:,} more" if len(cases) > SHOWN else ""
            lines.append(f"{kind.__doc__}: {len(cases):,}: {shown}{more}")
    rows = sum(len(table.models) for table in found.tables)
    looked_at = f"{many(len(found.records), 'record')}, {many(rows, 'row')} in {many(len(found.tables), 'table')}"
    return lines, f"{looked_at}: {many(len(lines), 'kind of finding', 'kinds of findings') if lines else 'no finding'}"
