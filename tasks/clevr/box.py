"""Every object's bounding box from the picture of its scene."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor

from setbench.tasks.clevr.boxes import exact_boxes, published_boxes
from setbench.tasks.clevr.scenes.scenes import Array
from setbench.tasks.clevr.task import ClevrTask
from setbench.tasks.interfaces import DataIdentity, Metric, SetGuess, Split
from setbench.tasks.metrics.boxes import BOX_METRICS, box_metrics

_ROUNDS = 30


class ClevrBox(ClevrTask):
    """xmin, ymin, xmax, ymax as parts of the picture (Zhang, Hare, Prügel-Bennett 2019, section 4.2).

    Args:
        boxes: "published", the papers' approximate ground truth; or "exact", what the camera sees of the whole object.
    """

    features = 4
    positions = slice(0, 4)
    headline = "ap_50"
    metrics: Mapping[str, Metric] = BOX_METRICS

    def __init__(
        self,
        sizes: Mapping[str, int],
        cache: Path,
        data: Path | None = None,
        clevr: Literal["rendered", "real"] = "rendered",
        test_on: Literal["same", "real"] = "same",
        boxes: Literal["published", "exact"] = "published",
    ) -> None:
        super().__init__(sizes, cache, data, clevr, test_on)
        if boxes not in ("published", "exact"):
            raise ValueError(f"boxes is 'published' or 'exact', not {boxes!r}")
        self.boxes = boxes

    @property
    def identity(self) -> DataIdentity:
        own = super().identity
        return own if self.boxes == "published" else replace(own, name=f"{own.name}, exact boxes")

    def targets(self, records: Array) -> Array:
        return published_boxes(records) if self.boxes == "published" else exact_boxes(records)

    def evaluate(self, prediction: Any, split: Split) -> dict[str, float]:
        return box_metrics(SetGuess(*prediction), split.targets)

    def frequent(self, objects: Tensor, count: int) -> Tensor:
        """Means of clusters (k-means from evenly spaced starts), the largest cluster first."""
        centres = objects[torch.linspace(0, len(objects) - 1, count).long()]
        for _ in range(_ROUNDS):
            nearest = (objects[:, None] - centres).square().sum(-1).argmin(1)
            members = torch.nn.functional.one_hot(nearest, count).to(objects.dtype)
            number = members.sum(0)
            centres = torch.where(number[:, None] > 0, members.T @ objects / number.clamp_min(1)[:, None], centres)
        return centres[number.argsort(descending=True, stable=True)]
