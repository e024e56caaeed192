"""Average precision of detections pooled over a whole split, and what to do about ties in confidence.

Every slot of every predicted set is one detection; its confidence is its presence, whatever that is. A detection
*claims* the true object that is nearest to it, if that one is near enough, and nothing otherwise. In the order of
falling confidence the first claim on an object is a true positive; every other detection is a false one: there is no
second choice. Average precision is the area under precision against recall, precision made monotone from the right
("every point" interpolation). Source: the evaluation of Zhang, Hare, Prügel-Bennett 2019, after the code of Padilla.

Ties decide much: models that clamp presence have many slots at exactly 1 and 0, and the order in which a file happens
to list the scenes moves the published figure by points. Here the figure is the expectation over all orders of the
ties. The published rule stands beside it as ``ties="file"``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Literal

import numpy as np
from jaxtyping import Bool, Float, Int

NOTHING = -1

# The expectation over ties is taken over so many drawn orders that this many detections are ranked in all, within these
# bounds. Few detections vary most and get the most orders: 8 detections, all tied, are known to about 0.3 points (one
# standard error), 150,000 to better than 0.05.
_RANKED = 1 << 22
_FEWEST, _MOST = 32, 4096


def pooled_average_precision(
    confidence: Float[np.ndarray, "scenes slots"],
    claims: Iterable[Int[np.ndarray, "scenes slots"]],
    objects: int,
    ties: Literal["average", "file"] = "average",
) -> list[float]:
    """Average precision in per cent, one for each of ``claims``.

    Args:
        confidence: of every slot.
        claims: for every threshold, which true object each slot claims (numbered within its scene), or NOTHING.
        objects: true objects in the whole split.
        ties: "average" is the expectation over all orders of slots of equal confidence, each as likely: exact where
            none tie, else the mean over a fixed number of orders drawn under a fixed seed. "file" keeps the order in
            which the published evaluation reads its files: scenes by their number as text ("0", "1", "10", "100", …),
            slots as they stand.

    Raises:
        FloatingPointError: where a confidence is not a number; it has no place in any order.
        ValueError: where there is no true object: recall is then undefined.
    """
    if np.isnan(confidence).any():
        raise FloatingPointError("a predicted presence is not a number")
    if objects == 0:
        raise ValueError("average precision is undefined where there is no true object")
    if ties == "file":
        by_name = sorted(range(len(confidence)), key=str)
        confidence = confidence[by_name]
        claims = [claim[by_name] for claim in claims]
    flat = [_numbered(claim) for claim in claims]
    areas = [[_areas(ranks, claim, objects) for claim in flat] for ranks in _ranks(confidence.ravel(), ties)]
    return [100 * float(np.mean(np.concatenate(area))) for area in zip(*areas, strict=True)]


def _numbered(claim: np.ndarray) -> np.ndarray:
    """Claims over the whole split, each object under a number of its own."""
    stride = int(claim.max(initial=NOTHING)) + 1
    return np.where(claim == NOTHING, NOTHING, claim + stride * np.arange(len(claim))[:, None]).ravel()


def _ranks(confidence: np.ndarray, ties: str) -> Iterator[Int[np.ndarray, "orders detections"]]:
    """The place of every detection by falling confidence: in one order, or in blocks of many where some are tied."""
    count = len(confidence)
    stable = np.argsort(-confidence, kind="stable")
    falling = confidence[stable]
    level = np.concatenate([[0], np.cumsum(falling[1:] != falling[:-1])])
    places = np.empty((1, count), dtype=np.int64)
    if ties == "file" or level[-1] == count - 1:
        places[:, stable] = np.arange(count)
        yield places
        return
    orders = min(_MOST, max(_FEWEST, _RANKED // count))
    generator = np.random.default_rng(0)
    for start in range(0, orders, block := max(1, _RANKED // 4 // count)):
        drawn = stable[np.argsort(level + generator.random((min(block, orders - start), count)), axis=1)]
        places = np.empty_like(drawn)
        np.put_along_axis(places, drawn, np.broadcast_to(np.arange(count), drawn.shape), axis=1)
        yield places


def _areas(
    places: Int[np.ndarray, "orders detections"], claim: np.ndarray, objects: int
) -> Float[np.ndarray, " orders"]:
    """Area under the monotone curve: each true positive adds the best precision still to come, 1/objects wide."""
    claiming = np.argsort(claim, kind="stable")[np.count_nonzero(claim == NOTHING) :]
    if len(claiming) == 0:
        return np.zeros(len(places))
    same = claim[claiming]
    new_object = np.flatnonzero(np.concatenate([[True], same[1:] != same[:-1]]))
    hits = np.sort(np.minimum.reduceat(places[:, claiming], new_object, axis=1), axis=1)
    precision = np.arange(1, hits.shape[1] + 1) / (hits + 1)
    return np.maximum.accumulate(precision[:, ::-1], axis=1).sum(axis=1) / objects


def shares_of_pooled(
    confidence: Float[np.ndarray, "scenes slots"],
    claims: Int[np.ndarray, "scenes slots"],
    objects: Int[np.ndarray, " scenes"],
) -> Float[np.ndarray, " scenes"]:
    """One number a scene whose mean is the pooled average precision, in per cent, and whose variance says how the
    figure would vary over other scenes: the infinitesimal jackknife (Efron 1982), the figure and its derivative by the
    scene's weight, times the number of scenes.

    With weights w, a hit at place h (of a scene s) adds w(s) max T/D over the places from h on, T the weight of the
    hits and D that of the detections up to there; the sum is divided by the weight of the objects. Which place has the
    most does not change to first order. Ties are ranked in one order, and the mean is brought to that over all orders.

    Raises:
        ValueError: where there is no true object.
    """
    (pooled,) = pooled_average_precision(confidence, [claims], int(objects.sum()))
    scenes, slots = confidence.shape
    order = np.argsort(-confidence.ravel(), kind="stable")
    scene = order // slots
    claimed = _numbered(claims)[order]
    hits = np.sort(np.unique(claimed, return_index=True)[1][int((claimed == NOTHING).any()) :])
    precision = np.arange(1, len(hits) + 1) / (hits + 1)
    highest = np.maximum.accumulate(precision[::-1])[::-1]
    chosen = np.searchsorted(-highest, -highest, side="right") - 1  # the last of equal ones is where it is reached
    times = np.bincount(chosen, minlength=len(hits)) / (hits + 1)
    gain, loss = np.zeros(len(order)), np.zeros(len(order))
    gain[hits], loss[hits] = times, times * precision
    gain, loss = (np.cumsum(part[::-1])[::-1] for part in (gain, loss))
    change = np.bincount(scene[hits], highest + gain[hits], scenes) - np.bincount(scene, loss, scenes)
    figure = highest.sum() / objects.sum()
    return pooled + 100 * scenes * (change - figure * objects) / objects.sum()


def free_closeness(
    confidence: Float[np.ndarray, "scenes slots"], closeness: Float[np.ndarray, "scenes slots objects"]
) -> Float[np.ndarray, "scenes slots"]:
    """How close each slot is to the closest object that is still free when its turn comes; -inf where none is left.

    Slots come in the order of falling confidence, those that tie as they stand. Each takes its object away, however far
    off that is: so says the code of Zhang et al. 2022. Objects at -inf are no candidates.
    """
    found = np.full(confidence.shape, -np.inf)
    free = np.array(closeness, dtype=np.float64)
    scenes = np.arange(len(confidence))
    for slot in np.argsort(-confidence, axis=1, kind="stable").T if free.shape[2] else ():
        nearest = free[scenes, slot].argmax(axis=1)
        found[scenes, slot] = free[scenes, slot, nearest]
        gone = found[scenes, slot] > -np.inf
        free[scenes[gone], :, nearest[gone]] = -np.inf
    return found


def average_precision_per_image(
    confidence: Float[np.ndarray, "scenes slots"],
    free: Float[np.ndarray, "scenes slots"],
    least: float,
    objects: Int[np.ndarray, " scenes"],
) -> Float[np.ndarray, " scenes"]:
    """The published definition behind the iDSPN figures (Zhang et al. 2022): within each scene, in per cent.

    A slot is a true positive where the object that it took (``free`` is :func:`free_closeness`) is closer than
    ``least``; the object is gone either way. Slots that tie keep their order; NaN without objects. Its mean is easier
    than the pooled figure, since confidences of different scenes need not compare. Their code scores one scene of each
    batch; here all count, scenes without objects apart.
    """
    return _within(confidence, free > least, objects)


def average_precision_within_image(
    confidence: Float[np.ndarray, "scenes slots"],
    claims: Int[np.ndarray, "scenes slots"],
    objects: Int[np.ndarray, " scenes"],
) -> Float[np.ndarray, " scenes"]:
    """The pooled figure's own rule within each scene, in per cent: the first claim on an object counts, and there is no
    second choice. Slots that tie keep their order; NaN without objects."""
    order = np.argsort(-confidence, axis=1, kind="stable")
    claimed = np.take_along_axis(claims, order, axis=1)
    earlier = np.tri(claimed.shape[1], k=-1, dtype=bool)
    taken = ((claimed[:, :, None] == claimed[:, None, :]) & earlier).any(axis=2)
    hit = np.empty_like(taken)
    np.put_along_axis(hit, order, (claimed != NOTHING) & ~taken, axis=1)
    return _within(confidence, hit, objects)


def _within(
    confidence: Float[np.ndarray, "scenes slots"],
    hit: Bool[np.ndarray, "scenes slots"],
    objects: Int[np.ndarray, " scenes"],
) -> Float[np.ndarray, " scenes"]:
    """Area under the monotone curve of each scene's own slots, in per cent."""
    hit = np.take_along_axis(hit, np.argsort(-confidence, axis=1, kind="stable"), axis=1)
    precision = np.cumsum(hit, axis=1) / np.arange(1, hit.shape[1] + 1)
    monotone = np.maximum.accumulate(precision[:, ::-1], axis=1)[:, ::-1]
    return 100 * (monotone * hit).sum(axis=1) / np.where(objects > 0, objects, np.nan)
