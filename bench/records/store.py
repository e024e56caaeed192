"""One record a cell: a JSON file, written atomically, readable without the code that wrote it. Imports no torch."""

from __future__ import annotations

import json
import math
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

SCHEMA = 1
Record = dict[str, Any]
FIELDS = ("status", "reason", "task", "row", "seed", "preset", "seconds")
"""What every record has, whatever became of its cell."""


def write_atomically(path: Path, text: str) -> None:
    """Write a whole file or nothing: a temporary file in the same folder, fsync, rename, fsync of the folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


class Store:
    """The records under one results folder.

    Args:
        folder: holds ``records/<id>.json``; ``damaged/`` for files that could not be read; ``locks/``.
        warn: called with one line for every file that was moved aside.
    """

    def __init__(self, folder: Path, warn: Callable[[str], None]) -> None:
        self.folder = Path(folder)
        self.warn = warn

    def path(self, identity: str) -> Path:
        return self.folder / "records" / f"{identity}.json"

    def write(self, record: Record) -> None:
        """Store one record. NaN and infinity, which JSON does not have, are stored as null."""
        text = json.dumps(_finite({"schema": SCHEMA, **record}), indent=1, allow_nan=False)
        write_atomically(self.path(record["id"]), text + "\n")

    def read(self, identity: str) -> Record | None:
        """One record, or None where there is none that can be read."""
        path = self.path(identity)
        return self._load(path) if path.exists() else None

    def all(self) -> list[Record]:
        """Every readable record, in a fixed order. Damaged files are named, moved aside and left out."""
        records = [self._load(path) for path in sorted((self.folder / "records").glob("*.json"))]
        return [record for record in records if record is not None]

    def _load(self, path: Path) -> Record | None:
        try:
            record = json.loads(path.read_text(encoding="utf-8"))
            _check(record, path.stem)
        except (ValueError, RecursionError) as error:
            aside = self.folder / "damaged" / path.name
            aside.parent.mkdir(parents=True, exist_ok=True)
            os.replace(path, aside)
            reason = str(error).splitlines()[0]
            self.warn(f"moved {path.name} to {aside.parent.name}/, its cell counts as missing: {reason}")
            return None
        return record

    @contextmanager
    def claim(self, identity: str) -> Iterator[bool]:
        """Hold a cell so that no other run on this folder does it too; yields False where another one has it.

        The lock is the operating system's: it goes with the process that held it, however that ended.
        """
        folder = self.folder / "locks"
        folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(folder / f"{identity}.lock")
        try:
            lock.acquire(blocking=False)
        except Timeout:
            yield False
            return
        try:
            yield True
        finally:
            # Before the release: afterwards another run may hold this very file.
            Path(lock.lock_file).unlink(missing_ok=True)
            lock.release()


def _check(record: Any, identity: str) -> None:
    if not isinstance(record, dict) or not isinstance(record.get("schema"), int) or record.get("id") != identity:
        raise ValueError("it is not a record of this suite")
    if record["schema"] > SCHEMA:
        raise ValueError(f"its schema {record['schema']} is newer than {SCHEMA}, which this version reads")
    absent = [name for name in FIELDS if name not in record]
    if absent:
        raise ValueError(f"it lacks {', '.join(absent)}")


def _finite(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, dict):
        return {str(key): _finite(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(item) for item in value]
    return value
