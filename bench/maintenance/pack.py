"""Pack the records of finished runs: ``python -m setbench.bench.maintenance.pack RESULTS [RESULTS ...]``.

Of each folder ``records.jsonl.xz`` holds a line a record, and ``records/`` is emptied. Whatever reads a results folder
reads both, and a run that goes on writes into ``records/`` again.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from setbench.bench.records.record import NewerSchema
from setbench.bench.records.store import PACKED, Store


def main(words: list[str] | None = None) -> None:
    """Pack each folder and say how many records it holds."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("results", nargs="+", type=Path)
    for folder in parser.parse_args(words).results:
        try:
            count = Store(folder, print).pack() if folder.is_dir() else 0
        except (BlockingIOError, NewerSchema) as error:
            parser.error(str(error))
        if not count:
            parser.error(f"{folder}: there are no records in it")
        print(f"{folder}: {count} records in {PACKED}, {(folder / PACKED).stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
