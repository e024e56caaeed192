"""Where a table's numbers come from, in a line: it stands under every table and in every caption."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise

from setbench import __version__
from setbench.bench.records.record import Record
from setbench.bench.report.document import some
from setbench.bench.report.tables import Table, distinct

COMMITS = 3  # named before "and n more"


def of_table(table: Table) -> str:
    """Version, commit, data, preset, device, seeds and command of one table."""
    data = table.key.data
    checksum = f" (checksum {table.key.checksum[:12]})" if data and table.key.checksum else ""
    return caption(table.records, [f"{data}{checksum}"] if data else [])


def of_tables(tables: Sequence[Table]) -> str:
    """The same of what is over several tables, without their data, which stand under each."""
    return caption([record for table in tables for record in table.records], [])


def caption(records: Iterable[Record], data: Sequence[str]) -> str:
    """``From setbench 0.1.0, commit 0123456789ab; digits; preset quick, cpu, seeds 0-2; python run_all.py --figures``.

    The version is the one that the records name; where they name none, it is said to be that of the table.
    """
    known = [record for record in records if not record.constant] or list(records)
    versions = distinct(record.versions.get("setbench", "") for record in known)
    suite = f"From setbench {', '.join(versions)}" if versions else f"Table by setbench {__version__}"
    commits = distinct(commit(record) for record in known)
    code = [f"commit {some(commits, COMMITS)}"] if commits else []
    how = [
        f"preset {', '.join(distinct(record.preset for record in known))}",
        ", ".join(distinct(record.device for record in known)),
        seeds({record.seed for record in known}),
    ]
    commands = distinct(record.command for record in known)
    others = f" (and {len(commands) - 1} more)" if len(commands) > 1 else ""
    made = [f"{commands[0]}{others}"] if commands else []
    return "; ".join([", ".join([suite, *code]), *data, ", ".join(filter(None, how)), *made])


def commit(record: Record) -> str:
    """Shortened; "" where none is known."""
    return record.commit[:12] + (" with uncommitted changes" if record.dirty and record.commit else "")


def seeds(given: Iterable[int]) -> str:
    """``seed 0``, ``seeds 0-2,7``: as the command line takes them."""
    known = sorted(given)
    starts = [one for one, before in zip(known, [None, *known], strict=False) if before is None or one != before + 1]
    ends = [one for one, after in pairwise([*known, None]) if one is not None and after != one + 1]
    spans = [str(low) if low == high else f"{low}-{high}" for low, high in zip(starts, ends, strict=True)]
    return f"seed{'s' if len(known) > 1 else ''} {','.join(spans)}"
