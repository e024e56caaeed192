"""CLEVR v1.0 itself, in its released layout: `images/{train,val}/*.png` and `scenes/CLEVR_{train,val}_scenes.json`."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from itertools import islice
from pathlib import Path
from typing import Any, TextIO

import numpy as np

from setbench.files import write_atomically
from setbench.tasks.clevr.files.checked import camera, picture_name, record, shrunk
from setbench.tasks.clevr.files.identity import find_released, released_hash
from setbench.tasks.clevr.files.records import RECORD
from setbench.tasks.clevr.files.shards import SHARD, Shard, Store
from setbench.tasks.clevr.files.workers import processors, spread
from setbench.tasks.clevr.scenes.scenes import Array
from setbench.tasks.interfaces import Progress
from setbench.tasks.no_data import NoData, keeping, reading

ZIP_MD5 = "b11922020e72d0cd9154779b2d3d07d2"
HOW = (
    "give --data DIR that holds CLEVR_v1.0/images and CLEVR_v1.0/scenes "
    "(https://dl.fbaipublicfiles.com/clevr/CLEVR_v1.0.zip, 18 GB)"
)
SIZE = 128
_HELD_OUT = 5_000  # of the training scenes, the last ones are the validation split; a tenth where there are few
_BLOCK, _LONGEST = 1 << 20, 1 << 24  # characters read in one go, and those that one scene may have; real: 20,000
_SCENES, _BETWEEN = re.compile(r'"scenes"\s*:\s*\['), re.compile(r"[\s,]*")


@dataclass(frozen=True)
class RealScenes:
    """The released scenes in a user's folder. Splits: "train" and "validation" from CLEVR's train, "test" is its val.

    Args:
        cache: folder that holds the prepared pictures.
        data: the user's folder.
    """

    cache: Path
    data: Path | None

    @property
    def folder(self) -> Path:
        """Where `images` and `scenes` are.

        Raises:
            NoData: nowhere under `data`; a zip that is there is named, and whether it is whole.
        """
        if self.data is None:
            raise NoData(f"real CLEVR is not downloaded by itself; {HOW}")
        found = find_released(self.data)
        if found is None:
            for place in (self.data, self.data / "clevr"):
                if (place / "CLEVR_v1.0.zip").exists():
                    check_zip(place / "CLEVR_v1.0.zip")
                    raise NoData(f"{place / 'CLEVR_v1.0.zip'} is whole but not unpacked: unzip it where it is")
            raise NoData(f"no CLEVR under {self.data}; {HOW}")
        return found

    @cached_property
    def key(self) -> str:
        """Names the files by their content: two runs have the same key exactly when they read the same scenes."""
        return released_hash(self.folder, self.cache)

    def counts(self) -> dict[str, int]:
        """How many scenes each split has, all of them."""
        path = self._home / "counts.json"
        try:
            known = json.loads(path.read_text())
            whole = {split: int(known[split]) for split in ("train", "val")}
        except (OSError, ValueError, TypeError, KeyError):
            whole = {split: sum(1 for _ in scenes_of(self._listing(split))) for split in ("train", "val")}
            with keeping(self.cache):
                write_atomically(path, json.dumps(whole))
        held_out = min(_HELD_OUT, -(-whole["train"] // 10))
        return {"train": whole["train"] - held_out, "validation": held_out, "test": whole["val"]}

    def sizes(self, wanted: Mapping[str, int]) -> dict[str, int]:
        """What there is of what is wanted; 0 wants all.

        Raises:
            NoData: there is nothing of a split.
        """
        counts = self.counts()
        for split in wanted:
            if not counts[split]:
                least = "one scene" if split == "test" else "two scenes, one of them to validate with,"
                raise NoData(f"{self._listing(split)} has too few scenes: at least {least} must be there")
        return {split: min(number or counts[split], counts[split]) for split, number in wanted.items()}

    def prepare(self, sizes: Mapping[str, int], progress: Progress, workers: int | None = None) -> None:
        """Shrink the pictures as the papers' code does (PIL bilinear, aspect lost), once; continues where it stopped.

        Raises:
            NoData: a picture is missing or damaged, or the zip beside them is.
        """
        for place in (self.folder.parent, self.folder):
            if (place / "CLEVR_v1.0.zip").exists() and not (self._home / "zip-is-whole").exists():
                check_zip(place / "CLEVR_v1.0.zip", progress)
                with keeping(self.cache):
                    write_atomically(self._home / "zip-is-whole", "")
        for split, count in self.sizes(sizes).items():
            shrink = partial(self._shards, split, workers or processors())
            self._store(split).fill(count, shrink, f"preparing CLEVR {split} pictures", progress)

    def _shards(self, split: str, workers: int, asked: Sequence[int]) -> Iterator[Shard]:
        return spread(_shrink, self._jobs(split, asked), workers)

    def load(self, split: str, count: int) -> tuple[Array, Array]:
        """Pictures uint8[count, 3, 128, 128], memory-mapped, and records RECORD[count]."""
        return self._store(split).open(count)

    @property
    def _home(self) -> Path:
        return Path(self.cache) / "clevr-real" / self.key

    def _store(self, split: str) -> Store:
        return Store(self._home / split, (3, SIZE, SIZE))

    def _listing(self, split: str) -> Path:
        """The scenes file that a split is from."""
        released = {"test": "val", "validation": "train"}.get(split, split)
        return self.folder / "scenes" / f"CLEVR_{released}_scenes.json"

    def _jobs(self, split: str, asked: Sequence[int]) -> list[tuple[int, list[Path], list[str], Array]]:
        """For each shard its pictures' paths, its scenes in words and their records."""
        counts, listing = self.counts(), self._listing(split)
        pictures = self.folder / "images" / ("val" if split == "test" else "train")
        first = counts["train"] if split == "validation" else 0
        wanted, jobs = set(asked), []
        scenes = islice(enumerate(scenes_of(listing)), first, first + counts[split])
        for shard in range(max(asked) + 1):
            batch = list(islice(scenes, SHARD))
            if shard not in wanted:
                continue
            paths, records = [], np.zeros(len(batch), RECORD)
            words = [f"scene {number} of {listing}" for number, _ in batch]
            for k, (_, scene) in enumerate(batch):
                with reading(words[k]):
                    paths.append(pictures / picture_name(scene))
                    records[k] = record(scene)[0]
            jobs.append((shard, paths, words, records))
        return jobs


def scenes_of(path: Path) -> Iterator[dict[str, Any]]:
    """The scenes of a scenes file one by one: the training file holds 70,000, gigabytes once they are Python objects.

    Raises:
        NoData: the file is missing or is no scenes file.
    """
    decoder = json.JSONDecoder()
    with reading(str(path)), path.open(encoding="utf-8") as file:
        text = file.read(_BLOCK)
        while not (opening := _SCENES.search(text)):
            text += _more(file, text, "it is no CLEVR scenes file")
        at = opening.end()
        while True:
            at = _BETWEEN.match(text, at).end()  # type: ignore[union-attr]
            if text[at : at + 1] == "]":
                return
            try:
                scene, at = decoder.raw_decode(text, at)
            except json.JSONDecodeError:
                text, at = text[at:] + _more(file, text[at:], "it is cut short or damaged"), 0
                continue
            yield scene


def _more(file: TextIO, text: str, else_: str) -> str:
    """The next piece of a file; there is none where it ends, or where what should be one scene has no end."""
    more = file.read(_BLOCK) if len(text) < _LONGEST else ""
    if not more:
        raise ValueError(else_)
    return more


def check_zip(path: Path, progress: Progress | None = None) -> None:
    """Compare the zip with its published md5.

    Raises:
        NoData: it differs; downloads that were cut short are common.
    """
    digest, done = hashlib.md5(), 0
    with reading(str(path)), path.open("rb") as file:
        total = path.stat().st_size
        while block := file.read(16 * _BLOCK):
            digest.update(block)
            done += len(block)
            if progress is not None:
                progress("checking CLEVR_v1.0.zip, MB", done >> 20, total >> 20)
    if digest.hexdigest() != ZIP_MD5:
        raise NoData(f"{path} is damaged or cut short: its md5 is not {ZIP_MD5}; download it again")


def _shrink(shard: int, paths: Sequence[Path], words: Sequence[str], records: Array) -> Shard:
    pictures = np.empty((len(paths), 3, SIZE, SIZE), np.uint8)
    for k, (path, scene) in enumerate(zip(paths, words, strict=True)):
        with reading(f"the picture {path}"):
            pictures[k] = shrunk(path, SIZE)
        with reading(scene):
            records[k]["camera"] = camera(records[k])
    return shard, pictures, records
