"""The records of a folder as they lie there. A store moves damaged files aside; a reviewer touches nothing."""

from __future__ import annotations

import json
import lzma
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from setbench.bench.records.record import SCHEMA, NewerSchema, Record
from setbench.bench.records.store import PACKED
from setbench.files import error_line


@dataclass
class Read:
    """What could be read, by cell; a file of records/ stands above the line of its cell. ``damaged``, ``newer`` and
    ``older`` name files and lines, with what was wrong."""

    records: dict[str, Record] = field(default_factory=dict)
    damaged: list[str] = field(default_factory=list)
    newer: list[str] = field(default_factory=list)
    older: list[str] = field(default_factory=list)


def read(folder: Path) -> Read:
    """All records of a results folder.

    Raises:
        ValueError: no such folder, or it holds no records; one line.
    """
    if not folder.is_dir():
        raise ValueError(f"--check {folder}: no such folder")
    found = Read()
    for name, text in [*_packed(folder / PACKED, found), *_files(folder / "records", found)]:
        try:
            record = Record.parse(text)
        except NewerSchema as error:
            found.newer.append(f"{name}: {error}")
        except (ValueError, RecursionError) as error:
            found.damaged.append(f"{name}: {error_line(error)}")
        else:
            if name.startswith("records/") and name != f"records/{record.id}.json":
                found.damaged.append(f"{name}: it is the record of another cell, {record.id}")
                continue
            found.records[record.id] = record
            if (schema := json.loads(text)["schema"]) < SCHEMA:
                found.older.append(f"{name}: schema {schema}")
    found.damaged += [f"damaged/{path.name}" for path in sorted((folder / "damaged").glob("*"))]
    if not (found.records or found.damaged or found.newer):
        raise ValueError(f"--check {folder}: there are no records in it; a results folder has records/ or {PACKED}")
    return found


def _packed(path: Path, found: Read) -> Iterator[tuple[str, bytes]]:
    if not path.exists():
        return
    try:
        with lzma.open(path, "rb") as file:
            lines = file.read().splitlines()
    except (lzma.LZMAError, EOFError, OSError) as error:
        found.damaged.append(f"{path.name}: {error_line(error)}")
        return
    for number, line in enumerate(lines, 1):
        yield f"{path.name}:{number}", line


def _files(folder: Path, found: Read) -> Iterator[tuple[str, bytes]]:
    for path in sorted(folder.glob("*.json")):
        try:
            yield f"records/{path.name}", path.read_bytes()
        except OSError as error:  # a folder, a link that leads nowhere, a file of another user
            found.damaged.append(f"records/{path.name}: {error.strerror}")
