"""Whether two results folders found the same, to the last bit: times, memory, machines and dates aside.

    python -m setbench.bench.maintenance.same_results BEFORE AFTER

Prints a line a difference; exits with 1 where there is one. Run it on two runs with one --jobs around a change that is
meant to change no number. Records of older schemas are read too.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path

from setbench.bench.records.record import Record
from setbench.bench.records.store import Store

FOUND = ("metrics", "metric_info", "headline", "curve", "figures", "invariance", "parameters", "calibration")
"""The fields of a record that the cell's numbers decide; "headline" and "metric_info" say how to read them."""

Cell = tuple[str, str, str, str]
"""Task, row, seed and split."""


def found(folder: Path) -> dict[Cell, dict[str, str]]:
    """What every cell of a results folder found: the status and each field, as it is written."""
    records = Store(folder, lambda line: print(line, file=sys.stderr)).all()
    return {(record.task, record.row, str(record.seed), record.split): _found(record) for record in records}


def _found(record: Record) -> dict[str, str]:
    fields = {"status": json.dumps(record.status)}
    if record.measured is not None:
        whole = record.measured.model_dump(mode="json")
        fields |= {name: json.dumps(whole[name], sort_keys=True) for name in FOUND}
    return fields


def differences(before: Mapping[Cell, dict[str, str]], after: Mapping[Cell, dict[str, str]]) -> list[str]:
    """One line for every cell that stands on one side alone and every field that differs; empty where all is equal."""
    lines = [f"{' · '.join(cell)}: only before" for cell in sorted(before.keys() - after.keys())]
    lines += [f"{' · '.join(cell)}: only after" for cell in sorted(after.keys() - before.keys())]
    for cell in sorted(before.keys() & after.keys()):
        for name in ("status", *FOUND):
            old, new = (side[cell].get(name, "nothing") for side in (before, after))
            if old != new:
                lines.append(f"{' · '.join(cell)}: {name}: {old[:80]} became {new[:80]}")
    return lines


def main(folders: list[str]) -> int:
    before, after = (found(Path(folder)) for folder in folders)
    lines = differences(before, after)
    print("\n".join(lines) if lines else f"{len(after)} cells found the same, bit for bit")
    return 1 if lines or not after else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
