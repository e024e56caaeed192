"""One record a cell: a JSON file, written atomically, readable without the code that wrote it; or a line of one
compressed file, where a run is finished. Imports no torch."""

from __future__ import annotations

import gc
import json
import lzma
import os
import stat
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from setbench.bench.records.record import NewerSchema, Record
from setbench.files import one_line, write_atomically

_Stamp = tuple[int, int, int]

PACKED = "records.jsonl.xz"
"""A line a record, by its id; a file of records/ stands above the line of its cell."""


class Store:
    """The records under one results folder. A file that has not changed since this store read it is not read again.

    Args:
        folder: holds ``records/<id>.json`` and ``PACKED``, or one of them; ``damaged/`` for files that could not be
            read; ``locks/``.
        warn: called with one line for every file that was moved aside or passed over.
    """

    def __init__(self, folder: Path, warn: Callable[[str], None]) -> None:
        self.folder = Path(folder)
        self.warn = warn
        self._known: dict[Path, tuple[_Stamp, Record]] = {}
        self._archive: tuple[_Stamp, dict[str, Record]] | None = None

    def path(self, identity: str) -> Path:
        return self.folder / "records" / f"{identity}.json"

    def write(self, record: Record) -> None:
        """Store one record."""
        write_atomically(self.path(record.id), record.json_text())

    def read(self, identity: str) -> Record | None:
        """One record, or None where there is none that can be read."""
        path = self.path(identity)
        return self._load(path) if path.exists() else self._packed().get(identity)

    def has(self, identity: str) -> bool:
        """Whether there is a record of this cell, readable or not."""
        return self.path(identity).exists() or identity in self._packed()

    def remove(self, identity: str) -> None:
        """Take a record away, if there is one."""
        self.path(identity).unlink(missing_ok=True)
        if identity in self._packed():
            self._pack(record for record in self._packed().values() if record.id != identity)

    def all(self) -> list[Record]:
        """Every readable record, in a fixed order. Damaged files are named, moved aside and left out.

        Raises:
            NewerSchema: a later version of the suite wrote one of them; nothing has been touched.
        """
        with _uncollected():
            packed = self._packed()
            loose = {path.stem: self._load(path) for path in sorted((self.folder / "records").glob("*.json"))}
        records = [record for _, record in sorted({**packed, **loose}.items())]
        return [record for record in records if record is not None]

    def pack(self) -> int:
        """Put all records into ``PACKED``, and take the files of records/ away; how many there are. Where this is
        interrupted nothing is lost.

        Raises:
            BlockingIOError: a run has some of these cells in hand.
        """
        if any((self.folder / "locks").glob("*.lock")):
            raise BlockingIOError(f"{self.folder}: a run is at work here (locks/ says so); pack it when that has ended")
        records = self.all()
        self._pack(records)
        for record in records:
            self.path(record.id).unlink(missing_ok=True)
        return len(records)

    def _pack(self, records: Iterable[Record]) -> None:
        lines = (f"{json.dumps(json.loads(record.json_text()), separators=(',', ':'))}\n" for record in records)
        write_atomically(self.folder / PACKED, lzma.compress("".join(lines).encode()))

    def _packed(self) -> dict[str, Record]:
        """The records of the compressed file. One that is damaged is moved aside."""
        path = self.folder / PACKED
        stamp = _stamp(path)
        if stamp is None:
            return {}
        if self._archive is None or self._archive[0] != stamp:
            try:
                with lzma.open(path, "rb") as file:
                    records = [Record.parse(line) for line in file]
            except NewerSchema as error:
                raise NewerSchema(
                    f"{path}: {error}; nothing was touched: use that version, or another --results"
                ) from None
            except (ValueError, RecursionError, lzma.LZMAError, EOFError) as error:
                self._put_aside(path, f"its cells count as missing: {one_line(error)}")
                return {}
            self._archive = stamp, {record.id: record for record in records}
        return self._archive[1]

    def _put_aside(self, path: Path, why: str) -> None:
        aside = self.folder / "damaged" / path.name
        aside.parent.mkdir(parents=True, exist_ok=True)
        os.replace(path, aside)
        self.warn(f"moved {path.name} to {aside.parent.name}/, {why}")

    def _load(self, path: Path) -> Record | None:
        stamp = _stamp(path)
        if stamp is None:  # a pipe would never end; a folder or a link that leads nowhere is not ours to move
            self.warn(f"passed over {path.name}: it is no plain file")
            return None
        before = self._known.get(path)
        if before is not None and before[0] == stamp:
            return before[1]
        try:
            record = Record.parse(path.read_bytes())
            if record.id != path.stem:
                raise ValueError(f"it is the record of another cell, {record.id}")
        except NewerSchema as error:
            raise NewerSchema(f"{path}: {error}; nothing was touched: use that version, or another --results") from None
        except (ValueError, RecursionError) as error:
            self._put_aside(path, f"its cell counts as missing: {one_line(error)}")
            return None
        self._known[path] = stamp, record
        return record

    @contextmanager
    def claim(self, identity: str, *, wait: bool = False) -> Iterator[bool]:
        """Hold a cell so that no other run on this folder does it too; yields False where another one has it, unless
        told to wait for it.

        The lock is the operating system's: it goes with the process that held it, however that ended.
        """
        folder = self.folder / "locks"
        folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(folder / f"{identity}.lock")
        try:
            lock.acquire(blocking=wait)
        except Timeout:
            yield False
            return
        try:
            yield True
        finally:
            # Before the release: afterwards another run may hold this very file.
            Path(lock.lock_file).unlink(missing_ok=True)
            lock.release()


def _stamp(path: Path) -> _Stamp | None:
    """Tells one state of a plain file from another; None where there is no plain file."""
    try:
        about = path.stat()
    except OSError:
        return None
    return (about.st_ino, about.st_mtime_ns, about.st_size) if stat.S_ISREG(about.st_mode) else None


@contextmanager
def _uncollected() -> Iterator[None]:
    """Without the garbage collector, which takes longer than reading where thousands of records come to stay; what was
    made meanwhile it leaves alone afterwards too: records refer to none that refers to them."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if enabled:
            gc.enable()
