"""Frozen features: pictures encoded once by a shipped, frozen image encoder, so that quick trains decoders alone."""

from __future__ import annotations

import hashlib
import os
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import torch
from filelock import FileLock

from setbench.bench.cell.train import to_device
from setbench.models.images.frozen import WEIGHTS, load_frozen
from setbench.tasks.interfaces import NoData, Progress, Split, Task, Vector

FROZEN = "frozen"


def freeze(task: Task) -> Task:
    """The same task with its pictures replaced by their frozen codes.

    The codes are cached beside the pictures under a name that holds the hash of the weights, the data's checksum and
    the split, and are made again where one of them changes.

    Raises:
        NoData: the task's pictures are rendered, but not as those that the encoder has learned from were.
    """
    encoder, about = load_frozen()
    if task.identity.kind.startswith("rendered") and not task.identity.checksum.startswith(about["pictures"]):
        raise NoData(
            f"the frozen image encoder is of pictures {about['pictures']}, these are {task.identity.checksum}; "
            "python -m setbench.bench.maintenance.pretrain makes one of these"
        )
    load_pictures, prepare_pictures = task.split, task.prepare
    key = hashlib.sha256(WEIGHTS.read_bytes() + task.identity.checksum.encode()).hexdigest()[:16]

    def path(name: str) -> Path:
        return task.cache / "features" / f"{key}-{name}-{task.sizes[name]}.npy"

    def prepare(progress: Progress) -> None:
        prepare_pictures(progress)
        for name in ("train", "validation", "test"):
            if not path(name).exists():
                _encode(encoder, load_pictures(name), path(name), name, progress)

    def split(name: str) -> Split:
        pictures = load_pictures(name)
        return Split(torch.from_numpy(np.load(path(name))), pictures.targets)

    task.input = Vector(int(about["latent"]))
    task.frozen_from = load_pictures  # type: ignore[attr-defined]  # what people look at, and what the row must say
    task.prepare = prepare  # type: ignore[method-assign]
    task.split = split  # type: ignore[method-assign]
    return task


def _encode(encoder: Any, pictures: Split, path: Path, name: str, progress: Progress) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{path}.lock"):
        if path.exists():
            return
        codes = []
        with torch.no_grad():
            for chunk in pictures.batches(256):
                codes.append(encoder(to_device(torch.as_tensor(chunk.inputs), torch.device("cpu"))))
                progress(f"encoding {name} scenes", sum(map(len, codes)), len(pictures))
        with tempfile.NamedTemporaryFile(dir=path.parent, delete=False, suffix=".npy") as file:
            np.save(file, torch.cat(codes).numpy())
        os.replace(file.name, path)
