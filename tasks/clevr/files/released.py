"""CLEVR v1.0 itself, in its released layout: `images/{train,val}/*.png` and `scenes/CLEVR_{train,val}_scenes.json`."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from setbench.tasks.clevr.files import clevr_json
from setbench.tasks.clevr.files.fit import fit_camera
from setbench.tasks.clevr.files.identity import find_released, released_hash
from setbench.tasks.clevr.files.records import RECORD, pack
from setbench.tasks.clevr.files.shards import SHARD, Shard, Store
from setbench.tasks.clevr.files.workers import processors, spread
from setbench.tasks.clevr.scenes.constants import MAX_OBJECTS
from setbench.tasks.clevr.scenes.scenes import Array
from setbench.tasks.interfaces import NoData, Progress

ZIP_MD5 = "b11922020e72d0cd9154779b2d3d07d2"
HOW = (
    "give --data DIR that holds CLEVR_v1.0/images and CLEVR_v1.0/scenes "
    "(https://dl.fbaipublicfiles.com/clevr/CLEVR_v1.0.zip, 18 GB)"
)
SIZE = 128
_HELD_OUT = 5_000  # of the training scenes, the last ones are the validation split; a tenth where there are few
_BLOCK = 1 << 20
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

    @property
    def key(self) -> str:
        """Names the files: two runs have the same key exactly when they read the same scenes."""
        return released_hash(self.folder)

    def counts(self) -> dict[str, int]:
        """How many scenes each split has, all of them."""
        path = self._home / "counts.json"
        try:
            whole = json.loads(path.read_text())
        except (FileNotFoundError, ValueError):
            whole = {split: sum(1 for _ in scenes_of(self._listing(split))) for split in ("train", "val")}
            self._home.mkdir(parents=True, exist_ok=True)
            temporary = path.with_suffix(f".{os.getpid()}")
            temporary.write_text(json.dumps(whole))
            os.replace(temporary, path)
        held_out = min(_HELD_OUT, -(-whole["train"] // 10))
        return {"train": whole["train"] - held_out, "validation": held_out, "test": whole["val"]}

    def sizes(self, wanted: Mapping[str, int]) -> dict[str, int]:
        """What there is of what is wanted; 0 wants all."""
        counts = self.counts()
        return {split: min(number or counts[split], counts[split]) for split, number in wanted.items()}

    def prepare(self, sizes: Mapping[str, int], progress: Progress, workers: int | None = None) -> None:
        """Shrink the pictures as the papers' code does (PIL bilinear, aspect lost), once; continues where it stopped.

        Raises:
            NoData: a picture is missing or damaged, or the zip beside them is.
        """
        for place in (self.folder.parent, self.folder):
            if (place / "CLEVR_v1.0.zip").exists() and not (self._home / "zip-is-whole").exists():
                check_zip(place / "CLEVR_v1.0.zip", progress)
                self._home.mkdir(parents=True, exist_ok=True)
                (self._home / "zip-is-whole").touch()
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
        return self.folder / "scenes" / f"CLEVR_{split}_scenes.json"

    def _jobs(self, split: str, asked: Sequence[int]) -> list[tuple[int, list[Path], Array]]:
        """For each shard its pictures' paths and the records of their scenes."""
        released = "val" if split == "test" else "train"
        counts = self.counts()
        first = counts["train"] if split == "validation" else 0
        wanted, jobs = set(asked), []
        scenes = islice(scenes_of(self._listing(released)), first, first + counts[split])
        for shard in range(max(asked) + 1):
            batch = list(islice(scenes, SHARD))
            if shard in wanted:
                paths = [self.folder / "images" / released / scene["image_filename"] for scene in batch]
                jobs.append((shard, paths, _records(batch)))
        return jobs


def scenes_of(path: Path) -> Iterator[dict[str, Any]]:
    """The scenes of a scenes file one by one: the training file holds 70,000, gigabytes once they are Python objects.

    Raises:
        NoData: the file is missing or is no scenes file.
    """
    decoder = json.JSONDecoder()
    try:
        with path.open(encoding="utf-8") as file:
            text = file.read(_BLOCK)
            while not (opening := _SCENES.search(text)):
                more = file.read(_BLOCK)
                if not more:
                    raise NoData(f"{path} is no CLEVR scenes file")
                text += more
            at = opening.end()
            while True:
                at = _BETWEEN.match(text, at).end()  # type: ignore[union-attr]
                if text[at : at + 1] == "]":
                    return
                try:
                    scene, at = decoder.raw_decode(text, at)
                except json.JSONDecodeError:
                    more = file.read(_BLOCK)
                    if not more:
                        raise NoData(f"{path} is cut short or damaged") from None
                    text, at = text[at:] + more, 0
                    continue
                yield scene
    except OSError as error:
        raise NoData(f"cannot read {path}: {error.strerror}; {HOW}") from error


def check_zip(path: Path, progress: Progress | None = None) -> None:
    """Compare the zip with its published md5.

    Raises:
        NoData: it differs; downloads that were cut short are common.
    """
    digest, total, done = hashlib.md5(), path.stat().st_size, 0
    with path.open("rb") as file:
        while block := file.read(16 * _BLOCK):
            digest.update(block)
            done += len(block)
            if progress is not None:
                progress("checking CLEVR_v1.0.zip, MB", done >> 20, total >> 20)
    if digest.hexdigest() != ZIP_MD5:
        raise NoData(f"{path} is damaged or cut short: its md5 is not {ZIP_MD5}; download it again")


def _records(scenes: Sequence[dict[str, Any]]) -> Array:
    try:
        parsed = clevr_json.read({"scenes": scenes})
        pixel = np.zeros((len(scenes), MAX_OBJECTS, 3))
        for k, scene in enumerate(scenes):
            pixel[k, : len(scene["objects"])] = [thing["pixel_coords"] for thing in scene["objects"]]
    except (KeyError, ValueError) as error:
        raise NoData(f"the scenes file is not CLEVR's: {error}") from error
    return pack(parsed, pixel)


def _shrink(shard: int, paths: Sequence[Path], records: Array) -> Shard:
    pictures = np.empty((len(paths), 3, SIZE, SIZE), np.uint8)
    for k, path in enumerate(paths):
        try:
            with Image.open(path) as image:
                small = image.convert("RGB").resize((SIZE, SIZE), Image.Resampling.BILINEAR)
        except OSError as error:
            raise NoData(f"cannot read the picture {path}: {error.strerror or error}") from error
        pictures[k] = np.asarray(small).transpose(2, 0, 1)
    records = records.copy()
    for record in records:
        n = int(record["count"])
        record["camera"], _ = fit_camera(record["position"][:n], record["pixel"][:n])
    assert records.dtype == RECORD
    return shard, pictures, records
