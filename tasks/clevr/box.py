"""Every object's bounding box from the picture of its scene."""

from collections.abc import Mapping
from dataclasses import replace

import torch
from torch import Tensor

from setbench.sets import PredictedSets, SetBatch
from setbench.tasks.clevr.boxes import exact_boxes, published_boxes
from setbench.tasks.clevr.scenes.scenes import Array
from setbench.tasks.clevr.task import ClevrTask
from setbench.tasks.coordinates import as_seen, published_sets, published_truth, seen
from setbench.tasks.interfaces import DataIdentity, Metric, Predict, Split
from setbench.tasks.metrics.boxes import BOX_METRICS, BOX_OVERLAPS, box_metrics, match_boxes

_ROUNDS = 30


class ClevrBox(ClevrTask):
    """xmin, ymin, xmax, ymax as parts of the picture (Zhang, Hare, Prügel-Bennett 2019, section 4.2).

    Its option ``boxes`` is "published", the papers' approximate ground truth; or "exact", what the camera sees of the
    whole object. ``coordinates`` is "unit"; or "centred", from -2 to 2, of models and of the loss: a difference then
    counts for sixteen times as much beside presence.
    """

    metrics: Mapping[str, Metric] = BOX_METRICS

    @property
    def identity(self) -> DataIdentity:
        own = as_seen(super().identity, self.options)
        return own if self.options["boxes"] == "published" else replace(own, name=f"{own.name}, exact boxes")

    def targets(self, records: Array) -> Array:
        return published_boxes(records) if self.options["boxes"] == "published" else exact_boxes(records)

    def split(self, name: str) -> Split[SetBatch]:
        found = super().split(name)
        return Split(found.inputs, seen(found.targets, self.options))

    def evaluate(
        self, prediction: PredictedSets, split: Split[SetBatch], predict: Predict[PredictedSets] | None = None
    ) -> dict[str, float]:
        return box_metrics(published_sets(prediction, self.options), published_truth(split.targets, self.options))

    def item_scores(self, prediction: PredictedSets, split: Split[SetBatch]) -> dict[str, Tensor]:
        """What each image adds to the headline, which pools all images."""
        guesses, true = published_sets(prediction, self.options), published_truth(split.targets, self.options)
        return {"ap_50": torch.from_numpy(match_boxes(guesses, true).shares(BOX_OVERLAPS["50"])).float()}

    def frequent(self, objects: Tensor, count: int) -> Tensor:
        """Means of clusters (k-means from evenly spaced starts), the largest cluster first."""
        centres = objects[torch.linspace(0, len(objects) - 1, count).long()]
        for _ in range(_ROUNDS):
            nearest = (objects[:, None] - centres).square().sum(-1).argmin(1)
            members = torch.nn.functional.one_hot(nearest, count).to(objects.dtype)
            number = members.sum(0)
            centres = torch.where(number[:, None] > 0, members.T @ objects / number.clamp_min(1)[:, None], centres)
        return centres[number.argsort(descending=True, stable=True)]
