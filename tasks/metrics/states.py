"""Average precision of CLEVR object states: three coordinates and four attributes an object."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from setbench.sets import PredictedSets, SetBatch
from setbench.tasks.interfaces import Metric
from setbench.tasks.metrics.matching import Matches, arrays, closest

STATE_DISTANCES: Mapping[str, float] = {"inf": np.inf, "1": 1.0, "0.5": 0.5, "0.25": 0.25, "0.125": 0.125}
"""How far an object may be from where it was found, in CLEVR's own units (the floor is 6 wide)."""

COORDINATES = slice(0, 3)
"""Coordinates divided by 3, as the papers feed them; multiplied by 3 again before distances are taken."""

ATTRIBUTES: Mapping[str, slice] = {
    "material": slice(3, 5),
    "color": slice(5, 13),
    "shape": slice(13, 16),
    "size": slice(16, 18),
}
"""One-hot parts of the 18 numbers; a predicted part stands for its largest number."""


def match_states(prediction: PredictedSets, target: SetBatch) -> Matches:
    """For every predicted slot the nearest true object among those with the same four attributes."""
    guessed, confidence, true, real = arrays(prediction, target)
    same = np.broadcast_to(real[:, None, :], (*guessed.shape[:2], real.shape[1])).copy()
    for part in ATTRIBUTES.values():
        same &= guessed[..., part].argmax(-1)[:, :, None] == true[..., part].argmax(-1)[:, None, :]
    apart = guessed[:, :, None, COORDINATES] - true[:, None, :, COORDINATES]
    return closest(confidence, np.where(same, -3 * np.sqrt((apart**2).sum(-1)), -np.inf), real)


def average_precision_states(
    prediction: PredictedSets, target: SetBatch, distances: Mapping[str, float] = STATE_DISTANCES
) -> dict[str, float]:
    """Pooled average precision in per cent under each distance's name; the expectation over ties in confidence.

    ``prediction`` is (``float[scenes, slots, 18]``, ``float[scenes, slots]``) for the whole split, ``target``
    (``float[scenes, objects, 18]``, ``bool[scenes, objects]``).
    """
    return match_states(prediction, target).pooled(_closeness(distances))


def state_metrics(prediction: PredictedSets, target: SetBatch) -> dict[str, float]:
    """Every metric of :data:`STATE_METRICS`."""
    matches, limits = match_states(prediction, target), _closeness(STATE_DISTANCES)
    return (
        {f"ap_{name}": value for name, value in matches.pooled(limits).items()}
        | {f"ap_published_{name}": value for name, value in matches.in_file_order(limits).items()}
        | {f"ap_per_image_{name}": value for name, value in matches.per_image(limits).items()}
        | {f"ap_within_image_{name}": value for name, value in matches.within_image(limits).items()}
    )


def _closeness(distances: Mapping[str, float]) -> dict[str, float]:
    return {name: -distance for name, distance in distances.items()}


def _within(name: str) -> str:
    return "anywhere" if name == "inf" else f"within {name} of CLEVR's units"


STATE_METRICS: Mapping[str, Metric] = (
    {
        f"ap_{name}": Metric("%", True, f"average precision: attributes all right, {_within(name)}; ties averaged")
        for name in STATE_DISTANCES
    }
    | {
        f"ap_published_{name}": Metric("%", True, f"the same with ties in file order, as published; {_within(name)}")
        for name in STATE_DISTANCES
    }
    | {
        f"ap_per_image_{name}": Metric("%", True, f"mean of each image's own, as iDSPN has it; {_within(name)}")
        for name in STATE_DISTANCES
    }
    | {
        f"ap_within_image_{name}": Metric("%", True, f"mean of each image's own, no second choice; {_within(name)}")
        for name in STATE_DISTANCES
    }
)
