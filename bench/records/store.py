"""One record a cell: a JSON file, written atomically, readable without the code that wrote it. Imports no torch."""

from __future__ import annotations

import gc
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from setbench.bench.records.record import NewerSchema, Record
from setbench.files import one_line, write_atomically

_Stamp = tuple[int, int, int]


class Store:
    """The records under one results folder. A file that has not changed since this store read it is not read again.

    Args:
        folder: holds ``records/<id>.json``; ``damaged/`` for files that could not be read; ``locks/``.
        warn: called with one line for every file that was moved aside or passed over.
    """

    def __init__(self, folder: Path, warn: Callable[[str], None]) -> None:
        self.folder = Path(folder)
        self.warn = warn
        self._known: dict[Path, tuple[_Stamp, Record]] = {}

    def path(self, identity: str) -> Path:
        return self.folder / "records" / f"{identity}.json"

    def write(self, record: Record) -> None:
        """Store one record."""
        write_atomically(self.path(record.id), record.json_text())

    def read(self, identity: str) -> Record | None:
        """One record, or None where there is none that can be read."""
        path = self.path(identity)
        return self._load(path) if path.exists() else None

    def all(self) -> list[Record]:
        """Every readable record, in a fixed order. Damaged files are named, moved aside and left out.

        Raises:
            NewerSchema: a later version of the suite wrote one of them; nothing has been touched.
        """
        with _uncollected():
            records = [self._load(path) for path in sorted((self.folder / "records").glob("*.json"))]
        return [record for record in records if record is not None]

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
            aside = self.folder / "damaged" / path.name
            aside.parent.mkdir(parents=True, exist_ok=True)
            os.replace(path, aside)
            self.warn(f"moved {path.name} to {aside.parent.name}/, its cell counts as missing: {one_line(error)}")
            return None
        self._known[path] = stamp, record
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
