"""Whether two results folders found the same, to the last bit: times, memory, machines and dates aside.

    python -m setbench.bench.maintenance.same_results BEFORE AFTER

Prints a line a difference; exits with 1 where there is one. Run it on two runs with one --jobs around a change that is
meant to change no number.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

FOUND = ("status", "metrics", "headline", "curve", "figures", "invariance", "parameters", "calibration", "metric_info")
"""The fields of a record that the cell's numbers decide; "headline" and "metric_info" say how to read them."""


def found(folder: Path) -> dict[tuple[str, ...], dict[str, Any]]:
    """What every cell of a results folder found, by task, row, seed and split."""
    records = [json.loads(path.read_text(encoding="utf-8")) for path in (folder / "records").glob("*.json")]
    return {
        tuple(str(record[name]) for name in ("task", "row", "seed", "split")): {
            name: record.get(name) for name in FOUND
        }
        for record in records
    }


def differences(before: Mapping[tuple[str, ...], Any], after: Mapping[tuple[str, ...], Any]) -> list[str]:
    """One line for every cell that stands on one side alone and every field that differs; empty where all is equal."""
    lines = [f"{' · '.join(cell)}: only before" for cell in sorted(before.keys() - after.keys())]
    lines += [f"{' · '.join(cell)}: only after" for cell in sorted(after.keys() - before.keys())]
    for cell in sorted(before.keys() & after.keys()):
        for name in FOUND:
            # NaN is unequal to itself: compare what is written
            old, new = (json.dumps(side[cell][name], sort_keys=True) for side in (before, after))
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
