"""What every slot of a predicted set found, before any order or threshold."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int
from torch import Tensor

from setbench.sets import PredictedSets, SetBatch
from setbench.tasks.metrics.average_precision import (
    NOTHING,
    average_precision_per_image,
    average_precision_within_image,
    free_closeness,
    pooled_average_precision,
    shares_of_pooled,
)


class Matches(NamedTuple):
    """For every slot its confidence, the true object that it is closest to and how close; true objects a scene.

    ``closeness`` grows towards a perfect match, -inf where there is no object to claim. ``free`` is that of the closest
    object which no slot of more confidence has taken.
    """

    confidence: Float[np.ndarray, "scenes slots"]
    nearest: Int[np.ndarray, "scenes slots"]
    closeness: Float[np.ndarray, "scenes slots"]
    free: Float[np.ndarray, "scenes slots"]
    objects: Int[np.ndarray, " scenes"]

    def claims(self, least: float) -> Int[np.ndarray, "scenes slots"]:
        """Which object each slot claims where ``least`` closeness is asked for."""
        return np.where((self.closeness >= least) & (self.closeness > -np.inf), self.nearest, NOTHING)

    def pooled(self, limits: Mapping[str, float]) -> dict[str, float]:
        """Average precision over the split, the expectation over ties, under each limit's name."""
        claims = [self.claims(least) for least in limits.values()]
        found = pooled_average_precision(self.confidence, claims, int(self.objects.sum()))
        return dict(zip(limits, found, strict=True))

    def shares(self, least: float) -> Float[np.ndarray, " scenes"]:
        """One number a scene whose mean is the pooled figure where ``least`` closeness is asked for."""
        return shares_of_pooled(self.confidence, self.claims(least), self.objects)

    def in_file_order(self, limits: Mapping[str, float]) -> dict[str, float]:
        """The same with ties in the order of the published evaluation's files."""
        claims = [self.claims(least) for least in limits.values()]
        found = pooled_average_precision(self.confidence, claims, int(self.objects.sum()), ties="file")
        return dict(zip(limits, found, strict=True))

    def per_image(self, limits: Mapping[str, float]) -> dict[str, float]:
        """Mean over scenes of the average precision of each, as iDSPN's figures are defined, scenes without objects
        apart."""
        return {name: float(np.nanmean(self.each_image(least))) for name, least in limits.items()}

    def within_image(self, limits: Mapping[str, float]) -> dict[str, float]:
        """Mean over scenes of the average precision of each, matched as in the pooled figure."""
        return {
            name: float(np.nanmean(average_precision_within_image(self.confidence, self.claims(least), self.objects)))
            for name, least in limits.items()
        }

    def each_image(self, least: float) -> Float[np.ndarray, " scenes"]:
        """Each scene's share of ``per_image``, in per cent, where more than ``least`` closeness is asked for; NaN where
        there is no object."""
        return average_precision_per_image(self.confidence, self.free, least, self.objects)


def closest(confidence: np.ndarray, closeness: Float[np.ndarray, "scenes slots objects"], real: np.ndarray) -> Matches:
    """Each slot with the closest of its scene's objects, the first where several are equally close."""
    nearest = closeness.argmax(axis=2)
    best = np.take_along_axis(closeness, nearest[..., None], axis=2)[..., 0]
    return Matches(confidence, nearest, best, free_closeness(confidence, closeness), real.sum(axis=1))


def arrays(
    prediction: PredictedSets | tuple[Tensor, Tensor], target: SetBatch | tuple[Tensor, Tensor]
) -> tuple[
    Float[np.ndarray, "scenes slots features"],
    Float[np.ndarray, "scenes slots"],
    Float[np.ndarray, "scenes objects features"],
    Bool[np.ndarray, "scenes objects"],
]:
    """Predicted elements and confidence, true elements and mask, in float64 (the mask in bool).

    Raises:
        FloatingPointError: where a prediction is not finite; it would be scored as a mere miss.
    """
    guessed, confidence, true = (part.detach().cpu().double().numpy() for part in (*prediction, target[0]))
    if not (np.isfinite(guessed).all() and np.isfinite(confidence).all()):
        raise FloatingPointError("the prediction is not finite")
    return guessed, confidence, true, target[1].cpu().numpy()
