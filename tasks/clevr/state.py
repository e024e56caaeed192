"""Every object's position, material, colour, shape and size from the picture of its scene."""

from collections.abc import Mapping

import torch
from torch import Tensor

from setbench.sets import PredictedSets, SetBatch
from setbench.tasks.clevr.scenes.scenes import Array
from setbench.tasks.clevr.states import states
from setbench.tasks.clevr.task import ClevrTask
from setbench.tasks.interfaces import Metric, Predict, Split
from setbench.tasks.metrics.states import STATE_DISTANCES, STATE_METRICS, match_states, state_metrics


class ClevrState(ClevrTask):
    """The 18 numbers an object of `states.py` (Zhang, Hare, Prügel-Bennett 2019, section 4.3)."""

    metrics: Mapping[str, Metric] = STATE_METRICS

    def targets(self, records: Array) -> Array:
        return states(records)

    def evaluate(
        self, prediction: PredictedSets, split: Split[SetBatch], predict: Predict[PredictedSets] | None = None
    ) -> dict[str, float]:
        return state_metrics(prediction, split.targets)

    def item_scores(self, prediction: PredictedSets, split: Split[SetBatch]) -> dict[str, Tensor]:
        """What each image adds to the headline, which pools all images."""
        values = match_states(prediction, split.targets).shares(-STATE_DISTANCES["inf"])
        return {"ap_inf": torch.from_numpy(values).float()}

    def frequent(self, objects: Tensor, count: int) -> Tensor:
        """The commonest combinations of attributes, each at the mean place of those that have it."""
        kinds, kind, number = objects[:, 3:].unique(dim=0, return_inverse=True, return_counts=True)
        best = number.argsort(descending=True, stable=True)[:count]
        best = best.repeat(-(-count // len(best)))[:count]
        places = torch.stack([objects[kind == k, :3].mean(0) for k in best])
        return torch.cat([places, kinds[best]], dim=1)
