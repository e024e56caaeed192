"""The cells of a results folder that are not ok, each with its reason: a list to commit, and to hold a run against.

python -m setbench.bench.maintenance.failures DIR          prints the list
python -m setbench.bench.maintenance.failures DIR LIST     what differs from the list; exits with 1 where something does
"""

from __future__ import annotations

import argparse
import csv
import io
import sys
from collections.abc import Iterable
from pathlib import Path

from setbench.bench.records.record import Record
from setbench.bench.records.store import Store

COLUMNS = ("task", "row", "status", "reason")
Cell = tuple[str, str, str, str]
"""A value for each column."""


def not_ok(records: Iterable[Record]) -> list[Cell]:
    """(task, row, status, reason) of every cell that is not ok, sorted, once for all seeds."""
    found = {(record.task, record.row, str(record.status), record.reason) for record in records if not record.ok}
    return sorted(found)


def csv_text(cells: Iterable[Cell]) -> str:
    """The list as CSV, with a header."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([COLUMNS, *cells])
    return text.getvalue()


def read(path: Path) -> list[Cell]:
    """A list that was committed."""
    with path.open(encoding="utf-8", newline="") as file:
        return [(task, row, status, reason) for task, row, status, reason in csv.reader(file)][1:]


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("folder", type=Path, metavar="DIR")
    arguments.add_argument("list", type=Path, nargs="?", metavar="LIST")
    given = arguments.parse_args()
    records = Store(given.folder, print).all()
    found = not_ok(records)
    if given.list is None:
        sys.stdout.write(csv_text(found))
        return 0
    expected = read(given.list)
    for sign, cells in (("+", set(found) - set(expected)), ("-", set(expected) - set(found))):
        for cell in sorted(cells):
            print(sign, *cell, sep=" · ")
    same = set(found) == set(expected)
    print(f"{len(records)} cells, {len(found)} not ok: {'exactly' if same else 'not'} those of {given.list.name}")
    return 0 if same else 1


if __name__ == "__main__":
    raise SystemExit(main())
