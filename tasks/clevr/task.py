"""What the two CLEVR tasks share: a picture of a scene in, a set of its objects out."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from setbench.sets import PredictedSets, SetBatch
from setbench.tasks.clevr.files.released import RealScenes
from setbench.tasks.clevr.files.rendered import ALL, RenderedScenes
from setbench.tasks.clevr.scenes.constants import MAX_OBJECTS
from setbench.tasks.clevr.scenes.scenes import Array
from setbench.tasks.clevr.states import present
from setbench.tasks.entry import Options, TaskEntry
from setbench.tasks.interfaces import DataIdentity, Progress, Split, Task
from setbench.tasks.losses import hungarian

_TRIED, _AGAINST = 200, 200  # training scenes among which the most typical one is looked for


class ClevrTask(Task[PredictedSets, SetBatch]):
    """Pictures of 128x128, sets of at most 10 objects, the papers' Hungarian loss.

    Options: ``clevr`` is "rendered", our own scenes and pictures by CLEVR's rules, made once; or "real", CLEVR v1.0
    from ``data``. Of sizes 0 (all) rendered scenes have 70,000, 5,000 and 15,000. A real validation split is the tail
    of CLEVR's training scenes, its test split CLEVR's validation scenes. ``test_on`` is "same", or "real": models train
    on rendered scenes and are tested on CLEVR v1.0 from ``data``.
    """

    def __init__(
        self, entry: TaskEntry, options: Options, sizes: Mapping[str, int], cache: Path, data: Path | None
    ) -> None:
        super().__init__(entry, options, sizes, cache, data)
        self.trained_on = options["clevr"]
        self.tested_on = "real" if options["test_on"] == "real" else self.trained_on
        self._real = RealScenes(cache, data)
        self._rendered = RenderedScenes(cache)

    @property
    def identity(self) -> DataIdentity:
        if self.trained_on == "real":
            return DataIdentity("CLEVR v1.0", "real", self._real.key)
        if self.tested_on == "rendered":
            return DataIdentity("scenes rendered by CLEVR's rules", "rendered", self._rendered.key)
        both = f"{self._rendered.key}, tested on {self._real.key}"
        return DataIdentity("trained on rendered scenes, tested on CLEVR v1.0", "rendered to real", both)

    def prepare(self, progress: Progress) -> None:
        rendered = {split: self._count(split) for split in self.sizes if self._is_rendered(split)}
        real = {split: size for split, size in self.sizes.items() if split not in rendered}
        if real:  # first: if it is not there, nothing is rendered for nothing
            self._real.prepare(real, progress)
        self._rendered.prepare(rendered, progress)

    def split(self, name: str) -> Split[SetBatch]:
        if name not in self.sizes:
            raise ValueError(f"no split is called {name!r}; there are {', '.join(self.sizes)}")
        source = self._rendered if self._is_rendered(name) else self._real
        pictures, records = source.load(name, self._count(name))
        elements = torch.from_numpy(self.targets(records))
        return Split(torch.from_numpy(pictures), SetBatch(elements, torch.from_numpy(present(records))))

    def _is_rendered(self, split: str) -> bool:
        return (self.tested_on if split == "test" else self.trained_on) == "rendered"

    def _count(self, split: str) -> int:
        if self._is_rendered(split):
            return self.sizes[split] or ALL[split]
        return self._real.sizes({split: self.sizes[split]})[split]

    @abstractmethod
    def targets(self, records: Array) -> Array:
        """float32[scenes, 10, features] from RECORD[scenes], zero for padding."""

    def loss(self, prediction: PredictedSets, target: SetBatch) -> Tensor:
        return hungarian(prediction, target)

    def constants(self, train: Split[SetBatch]) -> dict[str, PredictedSets]:
        """A set of ten frequent objects, one of the most frequent alone, and the most typical training scene."""
        elements, mask = train.targets
        objects = elements[mask] if mask.any() else elements[0, :1]
        ten = self.frequent(objects, MAX_OBJECTS)
        falling = torch.linspace(1, 0.5, MAX_OBJECTS)[None]
        tried = SetBatch(elements[:_TRIED], mask[:_TRIED])
        against = SetBatch(elements[-_AGAINST:], mask[-_AGAINST:])
        costs = []
        for k in range(len(tried.mask)):
            guess = PredictedSets(
                tried.elements[k].expand_as(against.elements), tried.mask[k].float().expand(against.mask.shape)
            )
            costs.append(float(hungarian(guess, against)))
        best = min(range(len(costs)), key=costs.__getitem__)
        return {
            "ten frequent objects": PredictedSets(ten[None], torch.ones(1, MAX_OBJECTS)),
            "frequent objects, the likeliest first": PredictedSets(ten[None], falling),
            "a typical scene": PredictedSets(tried.elements[best][None], tried.mask[best].float()[None]),
        }

    @abstractmethod
    def frequent(self, objects: Tensor, count: int) -> Tensor:
        """The [count, features] likeliest among true objects [many, features], the likeliest first."""
