"""The table of what cells cost, from records.

``python -m setbench.bench.maintenance.costs DIR [DIR ...]`` takes in results folders.
"""

from __future__ import annotations

import json
import statistics
import sys
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

from platformdirs import user_cache_path

from setbench.bench.plan.estimate import COSTS, cost_key, cpu_unit_seconds
from setbench.bench.records.record import Record
from setbench.bench.records.store import Store
from setbench.files import write_atomically


def update_costs(records: Iterable[Record], prepared: dict[str, float]) -> None:
    """Put the costs of these records (all of one machine, this one) into the shipped table.

    Of data the dearest preparation stays: a cheap one found its pictures made already, for another task.
    """
    reference = cpu_unit_seconds()
    table = json.loads(COSTS.read_text(encoding="utf-8")) if COSTS.exists() else {}
    seconds: dict[str, list[float]] = defaultdict(list)
    for record in records:
        if record.ok:
            seconds[cost_key(record.preset, record.task, record.row)].append(record.seconds)
    for key, values in seconds.items():
        table[key] = round(statistics.mean(values) / reference, 2)
    for key, value in prepared.items():
        table[key] = max(table.get(key, 0.0), round(value / reference, 2))
    write_atomically(COSTS, json.dumps(dict(sorted(table.items())), indent=0) + "\n")


def main() -> None:
    """Put what the records of the folders on the command line cost into the table."""
    markers = [json.loads(path.read_text()) for path in (user_cache_path("setbench") / "prepared").glob("*.json")]
    prepared: dict[str, float] = {}
    for marker in markers:
        prepared[marker["key"]] = max(prepared.get(marker["key"], 0.0), marker["seconds"])
    records = [record for folder in sys.argv[1:] for record in Store(Path(folder), print).all()]
    update_costs(records, prepared)
    print(f"{len(records)} records, {len(prepared)} preparations of data: {COSTS.name} is written")


if __name__ == "__main__":
    main()
