"""The tables of a results folder."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

from setbench.bench.records.store import Store
from setbench.bench.report.tables import Table, tables


def to_stderr(line: str) -> None:
    print(line, file=sys.stderr)


def tables_in(folder: Path, warn: Callable[[str], None] = to_stderr) -> list[Table]:
    """Of all its records. ``warn`` is called with a line for every file that cannot be read.

    Raises:
        NewerSchema: a later version of the suite wrote one.
    """
    return tables(Store(folder, warn).all(), folder)
