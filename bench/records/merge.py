"""Results folders of several machines, brought together in one. Imports no torch.

``python -m setbench.bench.records.merge FROM [FROM ...] INTO``

``INTO/records`` holds one record a cell, as always: the one that counts. Where a cell was measured on several machines,
the records of the others lie in ``INTO/other_machines/<machine>/``, which is a results folder too, and count in no
table. A record that has a result counts before one that has none; then that of the kind of processor that has results
for most seeds of the row, then of the machine that has; then the latest. Of two records of a cell by one machine the
one with a result stands, else the later, as when a cell is run again.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from setbench.bench.records.predictions import bring, drop
from setbench.bench.records.record import NewerSchema, Record
from setbench.bench.records.store import PACKED, Store
from setbench.files import one_line

OTHERS = "other_machines"
ROW = {
    "task", "encoder", "decoder", "options", "split", "preset", "device", "threads", "precision", "settings",
    "data_key",
}  # fmt: skip
"""What the seeds of a row have in common."""


@dataclass(frozen=True)
class Found:
    """A record in the results folder where it was found."""

    record: Record
    folder: Path

    @property
    def cell(self) -> str:
        return self.record.id

    @property
    def machine(self) -> str:
        """Names its machine, as a folder's name: ``machine-1f0c9a2e``."""
        whole = self.record.machine.model_dump_json()
        return f"machine-{hashlib.sha256(whole.encode()).hexdigest()[:8]}"


def merge(sources: Sequence[Path], into: Path, say: Callable[[str], None]) -> None:
    """Bring all that is in these results folders into one more, and say what it holds then.

    The records that give way are put aside before others take their place, and a record is written after what is kept
    beside it: where this is interrupted nothing is lost, and the same again ends it. Again after that changes nothing.

    Raises:
        ValueError: one of the folders holds no records, or is the one to write; in one line.
        NewerSchema: a later version of the suite wrote one of the records; nothing has been written.
    """
    for source in sources:
        if not ((source / "records").is_dir() or (source / PACKED).is_file()):
            raise ValueError(f"{source}: there is no folder records/ in it")
        if source.resolve() == into.resolve():
            raise ValueError(f"{source}: it is the folder to write, which is merged in any case")
    cells = _by_cell(found for folder in (into, *sources) for found in _found(folder, say))
    counting = _counting(one for machines in cells.values() for one in machines)
    for cell, machines in cells.items():
        with Store(into, say).claim(cell) as mine:
            if not mine:
                say(f"{machines[0].record.cell}: a run on {into} has it in hand; merge again when it has ended")
                continue
            for one in machines:
                if one is not counting[cell]:
                    _put(one, into / OTHERS / one.machine)
            _put(counting[cell], into)
            aside = into / OTHERS / counting[cell].machine
            Store(aside, say).remove(cell)
            drop(aside, cell)
    several = sum(len(machines) > 1 for machines in cells.values())
    names = {one.machine for machines in cells.values() for one in machines}
    twice = f"; {several} measured on more than one, which count once: the other records are in {OTHERS}/"
    say(f"{into}: cells: {len(cells)}, machines: {len(names)}{twice if several else ''}")


def elsewhere(folder: Path, warn: Callable[[str], None]) -> list[Record]:
    """The records of a merged folder that count in no table, since another machine's do; none where a later version of
    the suite wrote one of them."""
    try:
        return [record for at in _others(folder) for record in Store(at, warn).all()]
    except NewerSchema as error:
        warn(str(error))
        return []


def _found(folder: Path, warn: Callable[[str], None]) -> Iterator[Found]:
    """Every readable record under a folder, those of other machines after its own."""
    for at in (folder, *_others(folder)):
        yield from (Found(record, at) for record in Store(at, warn).all())


def _others(folder: Path) -> list[Path]:
    return sorted((folder / OTHERS).glob("*"))


def _by_cell(found: Iterable[Found]) -> dict[str, list[Found]]:
    """The cells, each with one record a machine; of two alike, the first."""
    kept: dict[str, dict[str, Found]] = {}
    for one in found:
        machines = kept.setdefault(one.cell, {})
        before = machines.get(one.machine)
        if before is None or _standing(one.record) > _standing(before.record):
            machines[one.machine] = one
    return {cell: list(machines.values()) for cell, machines in kept.items()}


def _standing(record: Record) -> tuple[bool, str]:
    return record.ok, record.finished


def _counting(found: Iterable[Found]) -> dict[str, Found]:
    """Cell -> the record that counts, by the rule at the head of this file."""
    everything = [(one, json.dumps(one.record.model_dump(mode="json", include=ROW), sort_keys=True)) for one in found]
    ok = [(one, row) for one, row in everything if one.record.ok]
    of_kind = Counter((row, kind) for row, kind, _ in {(row, one.record.processor, one.record.seed) for one, row in ok})
    of_machine = Counter((row, one.machine) for one, row in ok)
    best: dict[str, tuple[tuple[bool, int, int, str, str], Found]] = {}
    for one, row in everything:
        seeds = of_kind[row, one.record.processor], of_machine[row, one.machine]
        weight = (one.record.ok, *seeds, one.record.finished, one.machine)
        if one.cell not in best or weight > best[one.cell][0]:
            best[one.cell] = weight, one
    return {cell: one for cell, (_, one) in best.items()}


def _put(one: Found, folder: Path) -> None:
    """Have a record, with what is kept beside it, in this folder too. The record that was there goes first, so that at
    no moment one machine's stands beside what another has kept."""
    if one.folder == folder:
        return
    store = Store(folder, print)
    store.remove(one.cell)
    bring(one.folder, folder, one.cell)
    store.write(one.record)


def main(words: Sequence[str]) -> int:
    """The command; its exit code."""
    if len(words) < 2 or any(word.startswith("-") for word in words):
        print("usage: python -m setbench.bench.records.merge FROM [FROM ...] INTO", file=sys.stderr)
        return 2
    *sources, into = map(Path, words)
    try:
        merge(sources, into, print)
    except (ValueError, OSError) as error:
        print(f"merge: {one_line(error)}", file=sys.stderr)
        return 2
    print(f"python run_all.py --report-only --results {into} writes the leaderboard")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
