"""Average precision and distances against brute force: plain loops, all orders of ties, hand-made cases."""

import itertools

import numpy as np
import pytest
import torch
from scipy.spatial.distance import cdist

from setbench.sets import PredictedSets, SetBatch
from setbench.tasks.metrics import (
    average_precision_boxes,
    average_precision_states,
    box_metrics,
    chamfer_distance,
    hungarian_distance,
    ospa_distance,
    pooled_average_precision,
    size_error,
    state_metrics,
)
from setbench.tasks.metrics.average_precision import (
    NOTHING,
    average_precision_per_image,
    average_precision_within_image,
    free_closeness,
    shares_of_pooled,
)
from setbench.tasks.metrics.boxes import BOX_METRICS, BOX_OVERLAPS, box_iou, published_box_iou
from setbench.tasks.metrics.matching import Matches
from setbench.tasks.metrics.states import ATTRIBUTES, STATE_DISTANCES, STATE_METRICS, match_states


def area_by_hand(claims: list[tuple[int, int]], objects: int) -> float:
    """Average precision of (scene, claimed object) in the order of confidence, by the definition's own words."""
    taken: set[tuple[int, int]] = set()
    points = []
    for rank, claim in enumerate(claims, start=1):
        if claim[1] != NOTHING:
            taken.add(claim)
        points.append((len(taken) / objects, len(taken) / rank))
    area, reached = 0.0, 0.0
    for place, (recall, _) in enumerate(points):
        area += (recall - reached) * max(precision for _, precision in points[place:])
        reached = recall
    return 100 * area


def over_all_ties(confidence: np.ndarray, claims: np.ndarray, objects: int) -> float:
    """The mean over every order of the detections that falls in confidence."""
    flat = [
        (c, (scene, int(claim)))
        for scene, row in enumerate(claims)
        for c, claim in zip(confidence[scene], row, strict=True)
    ]
    levels = [[claim for c, claim in flat if c == level] for level in sorted({c for c, _ in flat}, reverse=True)]
    orders = itertools.product(*(itertools.permutations(level) for level in levels))
    return float(np.mean([area_by_hand([claim for level in order for claim in level], objects) for order in orders]))


def random_claims(seed: int, scenes: int, slots: int) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(seed)
    return generator.random((scenes, slots)), generator.integers(NOTHING, 3, (scenes, slots))


def weighted_area(confidence: np.ndarray, claims: np.ndarray, objects: np.ndarray, weights: np.ndarray) -> float:
    """Pooled average precision where each scene counts by its weight, by plain loops."""
    hits, detections, taken, points = 0.0, 0.0, set(), []
    for scene, slot in sorted(np.ndindex(*confidence.shape), key=lambda place: -confidence[place]):
        detections += weights[scene]
        claim = (scene, claims[scene, slot])
        if claims[scene, slot] != NOTHING and claim not in taken:
            taken.add(claim)
            hits += weights[scene]
            points.append((weights[scene], hits / detections))
    area = sum(weight * max(precision for _, precision in points[place:]) for place, (weight, _) in enumerate(points))
    return 100 * area / float((weights * objects).sum())


@pytest.mark.parametrize("seed", range(8))
def test_shares_are_the_figure_and_its_derivative_by_a_scenes_weight(seed: int) -> None:
    """By differences both ways, between which the share lies where two precisions are equal; scenes without objects are
    among them."""
    generator = np.random.default_rng(seed)
    objects = generator.integers(0, 5, 12)
    claims = np.array([generator.integers(NOTHING, number, 5) if number else [NOTHING] * 5 for number in objects])
    confidence = generator.random((12, 5))
    whole = weighted_area(confidence, claims, objects, np.ones(12))
    shares = shares_of_pooled(confidence, claims, objects)
    assert shares.mean() == pytest.approx(whole)
    for scene, share in enumerate(shares):
        moved = [
            whole + 12 * (weighted_area(confidence, claims, objects, 1 + step * np.eye(12)[scene]) - whole) / step
            for step in (1e-6, -1e-6)
        ]
        assert min(moved) - 1e-3 <= share <= max(moved) + 1e-3


def test_shares_of_ties_have_the_mean_over_all_orders() -> None:
    confidence, claims = np.ones((3, 2)), np.array([[0, NOTHING], [NOTHING, NOTHING], [0, 1]])
    objects = np.array([1, 0, 2])
    (pooled,) = pooled_average_precision(confidence, [claims], 3)
    assert shares_of_pooled(confidence, claims, objects).mean() == pytest.approx(pooled)
    assert not shares_of_pooled(confidence, np.full((3, 2), NOTHING), objects).any()


@pytest.mark.parametrize("seed", range(5))
def test_pooled_without_ties(seed: int) -> None:
    confidence, claims = random_claims(seed, 7, 5)
    by_hand = over_all_ties(confidence, claims, 21)
    for ties in ("average", "file"):
        assert pooled_average_precision(confidence, [claims], 21, ties) == pytest.approx([by_hand], rel=1e-12)


TIED = {
    "all at 1": ([[1, 1, 1, 1], [1, 1, 1, 1]], [[0, -1, 1, -1], [0, 0, -1, -1]], 5),
    "clamped to 1 and 0": ([[1, 1, 0, 0], [1, 0.5, 0, 0]], [[0, 0, 1, -1], [-1, 0, -1, 1]], 4),
    "two claims on one object": ([[1, 1, 1]], [[0, 0, -1]], 1),
    "pairs": ([[0.9, 0.9, 0.4], [0.4, 0.1, 0.1]], [[-1, 0, 1], [-1, 0, -1]], 3),
    "one right of six": ([[0, 0, 0], [0, 0, 0]], [[0, -1, -1], [-1, -1, -1]], 1),
}


@pytest.mark.parametrize("name", TIED)
def test_ties_are_averaged_over_all_their_orders(name: str) -> None:
    confidence, claims = (np.array(part) for part in TIED[name][:2])
    objects = TIED[name][2]
    exact = over_all_ties(confidence.astype(float), claims, objects)
    # 4,096 drawn orders: a standard error of at most 0.5 points in these cases; it is the same draw every time.
    assert pooled_average_precision(confidence.astype(float), [claims], objects) == pytest.approx([exact], abs=1.2)


def test_one_of_n_tied_has_a_closed_form() -> None:
    """The one true positive stands at each of n places as often: the mean of 1/place, H_n / n."""
    n = 50
    claims = np.full((1, n), NOTHING)
    claims[0, 17] = 0
    expected = 100 * sum(1 / place for place in range(1, n + 1)) / n
    assert pooled_average_precision(np.ones((1, n)), [claims], 1) == pytest.approx([expected], abs=1.0)


def test_file_order_is_that_of_names() -> None:
    """Scene 10 comes before scene 2: its miss, tied with scene 2's hit, costs half the precision."""
    confidence, claims = np.full((11, 1), -1.0) - np.arange(11)[:, None], np.full((11, 1), NOTHING)
    confidence[2], confidence[10], claims[2] = 1.0, 1.0, 0
    assert pooled_average_precision(confidence, [claims], 1, "file") == [50.0]
    assert pooled_average_precision(confidence, [claims], 1) == pytest.approx([75.0], abs=1.0)


def test_average_over_ties_does_not_see_the_order_of_files() -> None:
    generator = np.random.default_rng(0)
    confidence, claims = random_claims(0, 400, 10)
    confidence = confidence.round(1)
    order = generator.permutation(400)
    one, other = (pooled_average_precision(confidence[o], [claims[o]], 1200)[0] for o in (np.arange(400), order))
    assert one == pytest.approx(other, abs=0.1)


@pytest.mark.parametrize("seed", range(3))
def test_within_image_is_the_pooled_one_of_each_image(seed: int) -> None:
    confidence, claims = random_claims(seed, 6, 5)
    objects = np.array([3, 4, 5, 3, 0, 9])
    single = [
        area_by_hand([(0, int(claims[i, j])) for j in np.argsort(-confidence[i])], objects[i]) if objects[i] else np.nan
        for i in range(6)
    ]
    found = average_precision_within_image(confidence, claims, objects)
    assert found == pytest.approx(np.array(single), rel=1e-12, nan_ok=True)


def per_image_by_hand(confidence: list[float], distance: np.ndarray, threshold: float) -> float:
    """The published code's rule in plain words, for one scene: objects are a list that gets shorter."""
    free = list(range(distance.shape[1]))
    hits = []
    for slot in sorted(range(len(confidence)), key=lambda slot: -confidence[slot]):
        candidates = [thing for thing in free if distance[slot, thing] < np.inf]
        if not candidates:
            hits.append(False)
            continue
        nearest = min(candidates, key=lambda thing: distance[slot, thing])
        free.remove(nearest)
        hits.append(bool(distance[slot, nearest] < threshold))
    precision = [sum(hits[: k + 1]) / (k + 1) for k in range(len(hits))]
    return 100 * sum(max(precision[k:]) for k, hit in enumerate(hits) if hit) / distance.shape[1]


@pytest.mark.parametrize("threshold", [np.inf, 1.0, 0.3])
def test_per_image_takes_objects_away(threshold: float) -> None:
    generator = np.random.default_rng(5)
    confidence, distance = generator.random((40, 6)).round(1), generator.random((40, 6, 4)) * 1.5
    distance[generator.random(distance.shape) < 0.3] = np.inf  # of other attributes
    expected = [per_image_by_hand(list(c), d, threshold) for c, d in zip(confidence, distance, strict=True)]
    free = free_closeness(confidence, -distance)
    found = average_precision_per_image(confidence, free, -threshold, np.full(40, 4))
    assert found == pytest.approx(np.array(expected), rel=1e-12)


def test_the_two_definitions_of_one_image_differ() -> None:
    """One object at 0, guesses at 2 (of confidence .9) and at 0 (.8), threshold 1: the far guess takes it away."""
    confidence, closeness, objects = np.array([[0.9, 0.8]]), np.array([[[-2.0], [0.0]]]), np.array([1])
    assert average_precision_per_image(confidence, free_closeness(confidence, closeness), -1.0, objects) == [0.0]
    assert average_precision_within_image(confidence, np.array([[NOTHING, 0]]), objects) == [50.0]


def test_scenes_without_objects_or_slots() -> None:
    none = free_closeness(np.ones((2, 3)), np.zeros((2, 3, 0)))
    assert (none == -np.inf).all()
    assert np.isnan(average_precision_per_image(np.ones((2, 3)), none, -1.0, np.zeros(2, int))).all()
    assert average_precision_per_image(np.ones((2, 0)), np.ones((2, 0)), -1.0, np.ones(2, int)).tolist() == [0, 0]


def test_no_object_and_no_number_are_said() -> None:
    with pytest.raises(ValueError, match="no true object"):
        pooled_average_precision(np.ones((1, 2)), [np.full((1, 2), NOTHING)], 0)
    with pytest.raises(FloatingPointError, match="not a number"):
        pooled_average_precision(np.array([[np.nan]]), [np.zeros((1, 1), int)], 1)


def random_states(scenes: int, seed: int = 0) -> tuple[PredictedSets, SetBatch]:
    """True scenes, and predictions that are near in place and mostly right in attributes."""
    generator = torch.Generator().manual_seed(seed)
    true = torch.zeros(scenes, 10, 18)
    true[..., :3] = 2 * torch.rand(scenes, 10, 3, generator=generator) - 1
    for part in ATTRIBUTES.values():
        drawn = torch.randint(0, part.stop - part.start, (scenes, 10), generator=generator)
        true[..., part] = torch.nn.functional.one_hot(drawn, part.stop - part.start).float()
    mask = torch.arange(10) < torch.randint(3, 11, (scenes, 1), generator=generator)
    guess = true + 0.15 * torch.randn(true.shape, generator=generator)
    guess = guess[:, torch.randperm(10, generator=generator)]
    return PredictedSets(guess, torch.rand(scenes, 10, generator=generator)), SetBatch(true * mask[..., None], mask)


def test_states_against_plain_loops() -> None:
    guess, target = random_states(12)
    for name, limit in STATE_DISTANCES.items():
        detections = []
        for scene in range(12):
            for slot in range(10):
                best, least = NOTHING, np.inf
                for index in range(10):
                    a, b = guess.elements[scene, slot].double(), target.elements[scene, index].double()
                    same = all(a[part].argmax() == b[part].argmax() for part in ATTRIBUTES.values())
                    distance = float((3 * a[:3] - 3 * b[:3]).norm())
                    if target.mask[scene, index] and same and distance < least:
                        best, least = index, distance
                claim = (scene, best if least <= limit else NOTHING)
                detections.append((float(guess.presence[scene, slot]), claim))
        detections.sort(key=lambda detection: -detection[0])
        expected = area_by_hand([claim for _, claim in detections], int(target.mask.sum()))
        assert average_precision_states(guess, target)[name] == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize(("first", "count"), [(3, 2), (5, 8), (13, 3), (16, 2)])
def test_every_value_of_every_attribute_is_told_apart(first: int, count: int) -> None:
    """Two objects in one place that differ in one attribute alone: 2 materials, 8 colours, 3 shapes, 2 sizes."""
    places = [3, 5, 13, 16]
    for true, guessed in itertools.permutations(range(count), 2):
        one, other = torch.zeros(2, 1, 1, 18)
        one[..., places], other[..., places] = 1, 1
        for values, chosen in ((one, true), (other, guessed)):
            values[..., first : first + count] = 0
            values[..., first + chosen] = 1
        target = SetBatch(one, torch.ones(1, 1, dtype=torch.bool))
        assert average_precision_states(PredictedSets(one, torch.ones(1, 1)), target)["0.125"] == 100
        assert average_precision_states(PredictedSets(other, torch.ones(1, 1)), target)["inf"] == 0


def test_the_truth_scores_100_and_its_colours_wrong_0() -> None:
    _, target = random_states(20)
    truth = PredictedSets(target.elements, target.mask.float())
    assert set(state_metrics(truth, target).values()) == {100.0}
    wrong = target.elements.clone()
    wrong[..., ATTRIBUTES["color"]] = wrong[..., ATTRIBUTES["color"]].roll(1, dims=-1)
    scores = state_metrics(PredictedSets(wrong, target.mask.float()), target)
    # By chance another object may have just these attributes, but hardly in the same place.
    assert scores["ap_0.125"] < 1


def test_distance_is_in_units_of_the_scene() -> None:
    """An object 0.3 off in the papers' thirds is 0.9 off on the floor."""
    _, target = random_states(1)
    moved = target.elements.clone()
    moved[..., 0] += 0.3
    matches = match_states(PredictedSets(moved, target.mask.float()), target)
    claims_at_1, claims_at_half = matches.claims(-1.0), matches.claims(-0.5)
    real = target.mask.numpy()
    assert (claims_at_1[real] != NOTHING).all()
    assert (claims_at_half[real] == NOTHING).any()


def test_boxes_against_plain_loops() -> None:
    generator = np.random.default_rng(3)
    corner = generator.random((6, 5, 2))
    boxes = np.concatenate([corner, corner + 0.1 + 0.3 * generator.random((6, 5, 2))], -1)
    guess = boxes[:, ::-1] + 0.02 * generator.standard_normal(boxes.shape)
    mask = np.arange(5) < generator.integers(1, 6, (6, 1))
    confidence = generator.random((6, 5))

    def side(low: float, high: float) -> float:
        return max(high - low, 0)

    detections = []
    for scene, slot in itertools.product(range(6), range(5)):
        overlaps = []
        for index in range(5):
            a, b = guess[scene, slot], boxes[scene, index]
            shared = side(max(a[0], b[0]), min(a[2], b[2])) * side(max(a[1], b[1]), min(a[3], b[3]))
            total = (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - shared
            overlaps.append(shared / total if mask[scene, index] else -1)
        best = int(np.argmax(overlaps))
        detections.append((confidence[scene, slot], scene, best if overlaps[best] >= 0.5 else NOTHING))
    detections.sort(reverse=True)
    expected = area_by_hand([(scene, claim) for _, scene, claim in detections], int(mask.sum()))
    prediction = PredictedSets(torch.from_numpy(guess), torch.from_numpy(confidence))
    target = SetBatch(torch.from_numpy(boxes), torch.from_numpy(mask))
    assert average_precision_boxes(prediction, target)["50"] == pytest.approx(expected, rel=1e-9)
    assert average_precision_boxes(prediction, target) == {
        name: box_metrics(prediction, target)[f"ap_{name}"] for name in BOX_OVERLAPS
    }


def test_overlaps_by_hand() -> None:
    boxes = np.array([[[0, 0, 0.5, 0.5], [0.25, 0, 0.75, 0.5], [0.6, 0.6, 0.9, 0.9], [0.5, 0.5, 0, 0]]])
    iou = box_iou(boxes, boxes)[0]
    assert iou[0] == pytest.approx([1, 1 / 3, 0, 0])
    assert iou[3, 3] == 0
    published = published_box_iou(boxes, boxes)[0]
    # 1.25 x 1.5 shared of two boxes of 1.5 x 1.5: a step of half a width costs less.
    assert published[0, :3] == pytest.approx([1, 1.875 / (2 * 2.25 - 1.875), 0])


def test_every_metric_is_described() -> None:
    guess, target = random_states(3)
    assert set(state_metrics(guess, target)) == set(STATE_METRICS)
    boxes = PredictedSets(guess.elements[..., :4], guess.presence)
    assert set(box_metrics(boxes, SetBatch(target.elements[..., :4], target.mask))) == set(BOX_METRICS)


def test_what_is_not_finite_is_said() -> None:
    guess, target = random_states(3)
    guess.elements[0, 0, 0] = torch.nan
    with pytest.raises(FloatingPointError, match="not finite"):
        state_metrics(guess, target)


def test_chamfer_distance_against_scipy() -> None:
    generator = torch.Generator().manual_seed(0)
    guess = PredictedSets(torch.rand(9, 7, 2, generator=generator), torch.rand(9, 7, generator=generator))
    mask = torch.rand(9, 6, generator=generator) > 0.5
    mask[0], guess.presence[1] = False, 0.0
    mask[1], mask[2], guess.presence[2] = True, False, 0.0
    target = SetBatch(torch.rand(9, 6, 2, generator=generator), mask)
    expected = []
    for elements, presence, true, real in zip(*guess, *target, strict=True):
        a, b = elements[presence > 0.5].numpy(), true[real].numpy()
        if len(a) and len(b):
            apart = cdist(a, b)
            expected.append((apart.min(1).mean() + apart.min(0).mean()) / 2)
        else:
            expected.append(0.0 if len(a) == len(b) else 5.0)
    assert chamfer_distance(guess, target, empty=5.0).tolist() == pytest.approx(expected, rel=1e-5)
    assert size_error(guess, target).tolist() == [
        abs(int((p > 0.5).sum()) - int(m.sum())) for p, m in zip(guess.presence, mask, strict=True)
    ]


def test_hungarian_distance_is_the_least_over_permutations() -> None:
    left, right = torch.rand(4, 5, 2, dtype=torch.float64), torch.rand(4, 5, 2, dtype=torch.float64)
    expected = [
        min(np.mean([cost[i, p[i]] for i in range(5)]) for p in itertools.permutations(range(5)))
        for cost in (cdist(a, b) for a, b in zip(left.numpy(), right.numpy(), strict=True))
    ]
    assert hungarian_distance(left, right).tolist() == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(("size", "other"), [(4, 4), (2, 5), (5, 3), (0, 3), (0, 0)])
def test_ospa_is_the_least_over_all_matchings(size: int, other: int) -> None:
    generator = torch.Generator().manual_seed(size)
    left, right = torch.rand(6, 2, generator=generator), torch.rand(6, 2, generator=generator)
    slots = torch.arange(6)
    guess = PredictedSets(left[None], (slots < size).float()[None])
    found = ospa_distance(guess, SetBatch(right[None], (slots < other)[None]), cut=0.4).item()
    # The shorter set filled up with elements that are 0.4 from everything, and all orders tried.
    longer = max(size, other)
    cost = np.full((longer, longer), 0.4)
    cost[:size, :other] = np.minimum(cdist(left[:size].numpy(), right[:other].numpy()), 0.4)
    orders = itertools.permutations(range(longer))
    assert found == pytest.approx(
        min(sum(cost[i, p[i]] for i in range(longer)) for p in orders) / max(longer, 1), rel=1e-5
    )


def test_ospa_sees_multiplicity_and_chamfer_does_not() -> None:
    a, b = [0.0, 0.0], [1.0, 0.0]
    guess = PredictedSets(torch.tensor([[a, a, b]]), torch.ones(1, 3))
    target = SetBatch(torch.tensor([[a, b, b]]), torch.ones(1, 3, dtype=torch.bool))
    assert chamfer_distance(guess, target, empty=9.0).item() == 0
    assert ospa_distance(guess, target, cut=9.0).item() == pytest.approx(1 / 3)


NOTHING_TO_COMPARE = [(0, 3, 3), (0, 0, 0), (2, 0, 0), (2, 3, 0), (2, 0, 3)]


@pytest.mark.parametrize(("batch", "slots", "size"), NOTHING_TO_COMPARE)
def test_distances_of_nothing(batch: int, slots: int, size: int) -> None:
    """No sets, no slots: as many distances as sets; an empty set is as far as it is said to be from one that is not."""
    guess = PredictedSets(torch.zeros(batch, slots, 2), torch.ones(batch, slots))
    target = SetBatch(torch.zeros(batch, size, 2), torch.ones(batch, size, dtype=torch.bool))
    apart = 0.0 if slots == size else 5.0
    assert chamfer_distance(guess, target, empty=5.0).tolist() == [apart] * batch
    assert ospa_distance(guess, target, cut=5.0).tolist() == [apart] * batch
    assert size_error(guess, target).tolist() == [abs(slots - size)] * batch


@pytest.mark.parametrize("autocast", [False, True])
def test_distances_in_half_precision_are_those_of_the_rounded_numbers(autocast: bool) -> None:
    guess = PredictedSets(torch.rand(4, 5, 2).bfloat16(), torch.rand(4, 5).bfloat16())
    target = SetBatch(torch.rand(4, 5, 2), torch.rand(4, 5) > 0.3)
    exact = PredictedSets(guess[0].float(), guess[1].float())
    with torch.autocast("cpu", torch.bfloat16, enabled=autocast):
        found = chamfer_distance(guess, target, 5.0), ospa_distance(guess, target, 0.4)
        matched = hungarian_distance(guess[0], target[0])
    torch.testing.assert_close(found[0], chamfer_distance(exact, target, 5.0))
    torch.testing.assert_close(found[1], ospa_distance(exact, target, 0.4))
    torch.testing.assert_close(matched, hungarian_distance(exact[0], target[0]))


def test_what_is_just_good_enough_is_found() -> None:
    """ "At least": half a box is an overlap of exactly 1/2, and a step of exactly the limit is within it."""
    whole = torch.tensor([[[0.0, 0.0, 1.0, 1.0]]])
    half = PredictedSets(torch.tensor([[[0.0, 0.0, 0.5, 1.0]]]), torch.ones(1, 1))
    found = box_metrics(half, SetBatch(whole, torch.ones(1, 1, dtype=torch.bool)))
    assert (found["ap_50"], found["ap_90"]) == (100, 0)
    assert (found["ap_within_image_50"], found["ap_within_image_90"]) == (100, 0)
    close = np.array([[-0.25, np.nextafter(-0.25, -1)]])
    matches = Matches(np.ones((1, 2)), np.array([[0, 0]]), close, close, np.array([1]))
    assert matches.claims(-0.25).tolist() == [[0, NOTHING]]
