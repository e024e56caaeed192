"""Pictures and scenes on disk: made shard by shard, checked, and read through a memory map.

A store is a folder with the pictures in one raw file, the records of their scenes in another, and `shards.json`, which
says how many shards are whole and what their checksums are. A shard counts only once its bytes are on the disk and
`shards.json` has been replaced: whatever interrupts the work, at most the last moments are done again. A larger store
begins with the smaller one's examples, so that asking for more only adds.
"""

from __future__ import annotations

import json
import os
import time
import zlib
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import BinaryIO

import numpy as np
from filelock import FileLock

from setbench.files import write_atomically
from setbench.tasks.clevr.files.records import RECORD
from setbench.tasks.clevr.scenes.scenes import Array
from setbench.tasks.interfaces import Progress
from setbench.tasks.no_data import NoData, keeping, reading

SHARD = 64  # examples made, checked and, if need be, made again together
_SAVE_EVERY = 2.0  # seconds between updates of shards.json

Shard = tuple[int, Array, Array]
"""Which shard, its pictures uint8[<= SHARD, 3, height, width] and its records RECORD[<= SHARD]."""


class Store:
    """One split's pictures.

    Args:
        folder: made if it is not there; its name should say all that decides the content.
        shape: channels, height and width of a picture.
    """

    def __init__(self, folder: Path, shape: tuple[int, int, int] = (3, 128, 128)) -> None:
        self.folder, self.shape = Path(folder), shape
        self._bytes = int(np.prod(shape))

    def fill(self, count: int, make: Callable[[Sequence[int]], Iterable[Shard]], what: str, progress: Progress) -> None:
        """Have at least the first `count` examples, whole and undamaged.

        Args:
            make: gives the asked shards, in any order; the last may be smaller if no more examples exist.
            what: names the work to `progress`, which counts examples.

        Raises:
            NoData: the disk is full or the folder cannot be written.
        """
        with keeping(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)
            with FileLock(self.folder / "lock"):
                self._fill(count, make, what, progress)

    def _fill(
        self, count: int, make: Callable[[Sequence[int]], Iterable[Shard]], what: str, progress: Progress
    ) -> None:
        sums = self._sums()
        wanted = range(-(-count // SHARD))
        missing = [k for k in wanted if not self._whole(k, min(SHARD, count - k * SHARD), sums.get(k))]
        if not missing:
            return
        for k in missing:
            sums.pop(k, None)
        self._save(sums)
        done = count - sum(min(SHARD, count - k * SHARD) for k in missing)
        progress(what, done, count)
        saved = time.monotonic()
        with self._open("images.u8") as images, self._open("records.bin") as records:
            for k, pictures, scenes in make(missing):
                for file, values in ((images, pictures), (records, scenes)):
                    file.seek(k * SHARD * values[0].nbytes)
                    file.write(np.ascontiguousarray(values).tobytes())
                sums[k] = [len(scenes), _sum(pictures), _sum(scenes)]
                done += min(len(scenes), count - k * SHARD)
                if time.monotonic() - saved > _SAVE_EVERY:
                    _flush(images, records)
                    self._save(sums)
                    saved = time.monotonic()
                progress(what, done, count)
            _flush(images, records)
        self._save(sums)

    def open(self, count: int) -> tuple[Array, Array]:
        """Pictures uint8[count, ...] (a memory map: pages come in as they are read) and records RECORD[count].

        Raises:
            NoData: `fill` has not been called for as many.
        """
        if count > sum(size for size, *_ in self._sums().values()):
            raise NoData(f"{self.folder} holds fewer than {count} prepared examples; call prepare() first")
        with reading(f"the prepared examples in {self.folder}"):
            images = np.memmap(self.folder / "images.u8", np.uint8, mode="c", shape=(count, *self.shape))
            return images, np.fromfile(self.folder / "records.bin", RECORD, count)

    def _open(self, name: str) -> BinaryIO:
        path = self.folder / name
        return path.open("r+b" if path.exists() else "w+b")

    def _sums(self) -> dict[int, list[int]]:
        try:
            listed = json.loads((self.folder / "shards.json").read_text())
            sums = {int(k): [int(x) for x in values] for k, values in listed.items() if len(values) == 3}
        except (FileNotFoundError, ValueError, TypeError, AttributeError, OverflowError):
            return {}
        return {k: values for k, values in sums.items() if 0 < values[0] <= SHARD}

    def _save(self, sums: dict[int, list[int]]) -> None:
        write_atomically(self.folder / "shards.json", json.dumps({str(k): sums[k] for k in sorted(sums)}))

    def _whole(self, k: int, least: int, known: list[int] | None) -> bool:
        if known is None or known[0] < least:
            return False
        found = []
        for name, size in (("images.u8", self._bytes), ("records.bin", RECORD.itemsize)):
            try:
                with (self.folder / name).open("rb") as file:
                    file.seek(k * SHARD * size)
                    content = file.read(known[0] * size)
            except FileNotFoundError:
                return False
            found.append(zlib.crc32(content))
        return found == known[1:]


def _flush(*files: BinaryIO) -> None:
    for file in files:
        file.flush()
        os.fsync(file.fileno())


def _sum(values: Array) -> int:
    return zlib.crc32(np.ascontiguousarray(values).tobytes())
