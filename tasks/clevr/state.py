"""Every object's position, material, colour, shape and size from the picture of its scene."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from setbench.tasks.clevr.scenes.scenes import Array
from setbench.tasks.clevr.states import FEATURES, states
from setbench.tasks.clevr.task import ClevrTask
from setbench.tasks.interfaces import Metric, SetGuess, Split
from setbench.tasks.metrics.states import STATE_METRICS, state_metrics


class ClevrState(ClevrTask):
    """The 18 numbers an object of `states.py` (Zhang, Hare, Prügel-Bennett 2019, section 4.3)."""

    features = FEATURES
    positions = slice(0, 3)
    headline = "ap_inf"
    metrics: Mapping[str, Metric] = STATE_METRICS

    def targets(self, records: Array) -> Array:
        return states(records)

    def evaluate(self, prediction: Any, split: Split) -> dict[str, float]:
        return state_metrics(SetGuess(*prediction), split.targets)

    def frequent(self, objects: Tensor, count: int) -> Tensor:
        """The commonest combinations of attributes, each at the mean place of those that have it."""
        kinds, kind, number = objects[:, 3:].unique(dim=0, return_inverse=True, return_counts=True)
        best = number.argsort(descending=True, stable=True)[:count]
        best = best.repeat(-(-count // len(best)))[:count]
        places = torch.stack([objects[kind == k, :3].mean(0) for k in best])
        return torch.cat([places, kinds[best]], dim=1)
