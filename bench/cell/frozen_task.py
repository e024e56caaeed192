"""Frozen features: pictures encoded once by a shipped, frozen image encoder, so that quick trains decoders alone."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from filelock import FileLock
from torch import Tensor

from setbench.bench.cell.batches import to_device
from setbench.files import replacing
from setbench.models.images.frozen import load_frozen, weights_of
from setbench.specs import VectorSpec
from setbench.tasks.interfaces import DataIdentity, NoData, Progress, Split, Task
from setbench.tasks.no_data import keeping


class FrozenTask(Task):
    """A task with its pictures replaced by their frozen codes; everything else is the inner task's.

    The codes are cached beside the pictures under a name that holds the hash of the weights, the data's checksum and
    the split, and are made again where one of them changes. They are given standardised: each feature has mean 0 and
    standard deviation 1 over the training split, whatever the split that is asked for.

    Args:
        inner: a task of pictures.
        name: of the frozen encoder, one of ``FROZEN``.

    Raises:
        NoData: the task's pictures are rendered, but not as those that the encoder has learned from were.
    """

    def __init__(self, inner: Task, name: str) -> None:
        super().__init__(inner.entry, inner.options, inner.sizes, inner.cache, inner.data)
        self.inner = inner
        self.encoder, about = load_frozen(name)
        self.latent, self.head = int(about["latent"]), about["head"]
        identity = inner.identity
        if identity.kind.startswith("rendered") and not identity.checksum.startswith(about["pictures"]):
            raise NoData(
                f"the frozen image encoder is of pictures {about['pictures']}, these are {identity.checksum}; "
                "python -m setbench.bench.maintenance.pretrain makes one of these"
            )
        self.key = hashlib.sha256(weights_of(name).read_bytes() + identity.checksum.encode()).hexdigest()[:16]

    @property
    def input(self) -> VectorSpec:
        return VectorSpec(self.latent)

    @property
    def metrics(self) -> Mapping[str, Any]:  # type: ignore[override]  # the inner task's, whichever that is
        return self.inner.metrics

    @property
    def identity(self) -> DataIdentity:
        return self.inner.identity

    @property
    def notes(self) -> list[str]:
        real = self.identity.kind == "real"
        words = f"frozen features ({self.head})" + ", learned on rendered scenes" * real
        return [words, *self.inner.notes]

    def prepare(self, progress: Progress) -> None:
        self.inner.prepare(progress)
        for name in ("train", "validation", "test"):
            if not self._path(name).exists():
                with keeping(self.cache):
                    self._encode(name, progress)

    def split(self, name: str) -> Split:
        mean, deviation = self._scale
        codes = torch.from_numpy(np.load(self._path(name)))
        return Split((codes - mean) / deviation, self.inner.split(name).targets)

    @cached_property
    def _scale(self) -> tuple[Tensor, Tensor]:
        """Mean and standard deviation of each feature over the training split; 1 where a feature never varies."""
        codes = torch.from_numpy(np.load(self._path("train"))).double()
        deviation = codes.std(dim=0, correction=0)
        return codes.mean(dim=0).float(), torch.where(deviation > 0, deviation, 1.0).float()

    def pictures(self, name: str) -> Tensor | None:
        return self.inner.pictures(name)

    def independent_items(self, name: str) -> int:
        return self.inner.independent_items(name)

    def loss(self, prediction: Any, target: Any) -> Tensor:
        return self.inner.loss(prediction, target)

    def evaluate(self, prediction: Any, split: Split, predict: Any = None) -> dict[str, float]:
        return self.inner.evaluate(prediction, split, predict)

    def item_scores(self, prediction: Any, split: Split) -> dict[str, Tensor]:
        return self.inner.item_scores(prediction, split)

    def curve(self, prediction: Any, split: Split) -> dict[str, list[float]]:
        return self.inner.curve(prediction, split)

    def constants(self, train: Split) -> dict[str, Any]:
        return self.inner.constants(train)

    def _path(self, name: str) -> Path:
        return self.cache / "features" / f"{self.key}-{name}-{self.sizes[name]}.npy"

    def _encode(self, name: str, progress: Progress) -> None:
        path = self._path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(f"{path}.lock"):
            if path.exists():
                return
            with torch.no_grad():
                codes = self._codes(name, progress)
            with replacing(path) as file:
                np.save(file, codes.numpy())

    def _codes(self, name: str, progress: Progress) -> Tensor:
        """What is kept of a split: ``float[scenes, latent]``, not yet standardised."""
        pictures = self.inner.split(name)
        codes: list[Tensor] = []
        for chunk in pictures.batches(256):
            codes.append(self.encoder(to_device(torch.as_tensor(chunk.inputs), torch.device("cpu"))))
            progress(f"encoding {name} scenes", sum(map(len, codes)), len(pictures))
        return torch.cat(codes)
