"""Average precision of bounding boxes (x1, y1, x2, y2), in parts of the image's width and height."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from jaxtyping import Float

from setbench.sets import PredictedSets, SetBatch
from setbench.tasks.interfaces import Metric
from setbench.tasks.metrics.matching import Matches, arrays, closest

Boxes = Float[np.ndarray, "batch boxes 4"]

BOX_OVERLAPS: Mapping[str, float] = {"50": 0.5, "90": 0.9, "95": 0.95, "98": 0.98, "99": 0.99}
"""Least intersection over union at which an object counts as found."""


def box_iou(left: Boxes, right: Boxes) -> Float[np.ndarray, "batch n m"]:
    """Intersection over union of all pairs; a box whose corners are the wrong way round is empty."""
    shared, first, second = _areas(left, right, lambda sides: np.maximum(sides, 0))
    union = first + second - shared
    return np.divide(shared, union, out=np.zeros_like(shared), where=union > 0)


def published_box_iou(left: Boxes, right: Boxes) -> Float[np.ndarray, "batch n m"]:
    """The overlaps behind the published table of Zhang, Hare, Prügel-Bennett 2019: every side is one too long.

    That is right for boxes that count whole pixels. Here a picture is 1 wide, so that any two boxes that touch overlap
    by a quarter and more. Boxes that do not touch overlap by 0, as there.
    """
    shared, first, second = _areas(left, right, lambda sides: sides + 1)
    left, right = left[..., :, None, :], right[..., None, :, :]
    touch = (left[..., :2] <= right[..., 2:]).all(-1) & (right[..., :2] <= left[..., 2:]).all(-1)
    return np.divide(shared, first + second - shared, out=np.zeros_like(shared), where=touch)


def _areas(left: Boxes, right: Boxes, sides: Callable[[np.ndarray], np.ndarray]) -> tuple[np.ndarray, ...]:
    """Of all pairs: the intersections' areas; then the areas of the boxes themselves."""
    left, right = left[..., :, None, :], right[..., None, :, :]
    shared = np.minimum(left[..., 2:], right[..., 2:]) - np.maximum(left[..., :2], right[..., :2])
    return tuple(
        sides(box).prod(-1) for box in (shared, left[..., 2:] - left[..., :2], right[..., 2:] - right[..., :2])
    )


def match_boxes(prediction: PredictedSets, target: SetBatch, iou: Callable[..., np.ndarray] = box_iou) -> Matches:
    """For every predicted slot the true box that it overlaps most; none where it overlaps none."""
    guessed, confidence, true, real = arrays(prediction, target)
    overlap = iou(guessed, true)
    return closest(confidence, np.where(real[:, None, :] & (overlap > 0), overlap, -np.inf), real)


def average_precision_boxes(
    prediction: PredictedSets, target: SetBatch, overlaps: Mapping[str, float] = BOX_OVERLAPS
) -> dict[str, float]:
    """Pooled average precision in per cent under each overlap's name; the expectation over ties in confidence.

    ``prediction`` is (``float[scenes, slots, 4]``, ``float[scenes, slots]``) for the whole split, ``target``
    (``float[scenes, objects, 4]``, ``bool[scenes, objects]``).
    """
    return match_boxes(prediction, target).pooled(overlaps)


def box_metrics(prediction: PredictedSets, target: SetBatch) -> dict[str, float]:
    """Every metric of :data:`BOX_METRICS`."""
    matches = match_boxes(prediction, target)
    published = match_boxes(prediction, target, published_box_iou).in_file_order(BOX_OVERLAPS)
    return (
        {f"ap_{name}": value for name, value in matches.pooled(BOX_OVERLAPS).items()}
        | {f"ap_published_{name}": value for name, value in published.items()}
        | {f"ap_per_image_{name}": value for name, value in matches.per_image(BOX_OVERLAPS).items()}
        | {f"ap_within_image_{name}": value for name, value in matches.within_image(BOX_OVERLAPS).items()}
    )


BOX_METRICS: Mapping[str, Metric] = (
    {
        f"ap_{name}": Metric("%", True, f"average precision at an overlap (IoU) of {least}; ties averaged")
        for name, least in BOX_OVERLAPS.items()
    }
    | {
        f"ap_published_{name}": Metric("%", True, f"as published, IoU with sides one too long, of {least}; file order")
        for name, least in BOX_OVERLAPS.items()
    }
    | {
        f"ap_per_image_{name}": Metric("%", True, f"mean of each image's own, as iDSPN has it, at IoU {least}")
        for name, least in BOX_OVERLAPS.items()
    }
    | {
        f"ap_within_image_{name}": Metric("%", True, f"mean of each image's own, no second choice, at IoU {least}")
        for name, least in BOX_OVERLAPS.items()
    }
)
