"""How the whole leaderboard was made: commands, presets, machines, versions, commits, days."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from setbench.bench.records.record import Record
from setbench.bench.report.caption import commit
from setbench.bench.report.document import Block, Bullets, Code, Heading, Text
from setbench.bench.report.tables import distinct, machine

COMMANDS = 4  # that made the records


def how_it_was_made(records: Sequence[Record], elsewhere: Sequence[Record]) -> list[Block]:
    """Of one record or more. ``elsewhere`` are records of the same cells by other machines, which count in no table."""
    blocks: list[Block] = [Heading("How this was made", 2)]
    commands = distinct(record.command for record in records)
    if commands:
        several = " (the most frequent commands of several)" if len(commands) > COMMANDS else ""
        blocks += [Text(f"Made by{several}:"), Code(commands[:COMMANDS])]
    return [*blocks, Bullets([*_provenance(records), *_twice(elsewhere)])]


def _provenance(records: Sequence[Record]) -> list[str]:
    days = sorted(record.finished[:10] for record in records)
    commits = Counter(commit(record) for record in records if record.commit)
    facts = {
        "Presets": ", ".join(distinct(record.preset for record in records)),
        "Machine": "; ".join(distinct(machine(record) for record in records)),
        "Versions": "; ".join(distinct(_versions(record) for record in records)),
        "Commit": ", ".join(f"{name} ({n} cells)" if len(commits) > 1 else name for name, n in commits.most_common()),
        "Measured": days[0] if days[0] == days[-1] else f"{days[0]} to {days[-1]}",
    }
    return [f"{name}: {value}." for name, value in facts.items() if value]


def _twice(elsewhere: Sequence[Record]) -> list[str]:
    """Which cells were measured on more machines than one."""
    if not elsewhere:
        return []
    names = "; ".join(sorted({machine(record) for record in elsewhere}))
    cells = len({record.id for record in elsewhere})
    return [
        f"Measured on other machines too: {cells:,} cells (on {names}). Each counts once, with the machine that has "
        "results for most seeds of its row; the other records are in other_machines/."
    ]


def _versions(record: Record) -> str:
    return ", ".join(f"{name} {version}" for name, version in record.versions.items())
