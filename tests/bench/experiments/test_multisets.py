"""Counterexamples by hand, counts by hand, ceilings by brute force over all sets in all orders."""

from collections import Counter, defaultdict
from itertools import product

import pytest
import torch

from setbench.bench.experiments import multisets
from setbench.bench.experiments.multisets import LABELS, VALUES, ceiling, copies, draw_sets, label, points
from setbench.models.build import build_predictor
from setbench.models.catalogue import parse
from setbench.sets import PredictedSets, SetBatch
from setbench.specs import NumberSpec
from setbench.tasks.losses import chamfer_padded, hungarian


def of(*values: int) -> torch.Tensor:
    return points()[list(values)][None]


def test_chamfer_is_blind_to_copies_and_hungarian_is_not():
    guess = PredictedSets(of(0, 0, 1), torch.ones(1, 3))
    target = SetBatch(of(0, 1, 1), torch.ones(1, 3, dtype=torch.bool))
    assert chamfer_padded(guess, target).item() == 0
    # One pair of three is apart, by a difference of (dx, dy); presence, the third channel, agrees.
    gap = points()[0] - points()[1]
    huber = [d**2 / 2 if abs(d) < 1 else abs(d) - 0.5 for d in gap.tolist()]
    assert hungarian(guess, target).item() == pytest.approx(sum(huber) / 3 / 3)


@pytest.mark.parametrize(
    ("pool", "one", "other", "alike"),
    [
        ("mean", (0, 1), (0, 0, 1, 1), True),
        ("sum", (0, 1), (0, 0, 1, 1), False),
        ("mean", (0, 0, 1), (0, 1, 1), False),
        ("max", (0, 0, 1), (0, 1, 1), True),
    ],
)
def test_what_a_pool_cannot_tell_apart(pool, one, other, alike):
    torch.manual_seed(0)
    model = parse(f"deep_sets:pool={pool}", ("encoder",))
    encoder = build_predictor(multisets.SPEC, NumberSpec(), encoder=model, latent=8, width=8).encoder
    codes = [encoder(of(*values)) for values in (one, other)]
    assert ((codes[0] - codes[1]).abs().max().item() < 1e-6) == alike


def test_copies_and_labels_by_hand():
    mask = torch.tensor([[True, True, True, True, False]])
    counts = copies(of(2, 0, 2, 1, 1) + 0.1, mask)
    assert counts.tolist() == [[1, 1, 2]]
    assert [label(counts, name).item() for name in LABELS] == [4, 3, 2]


def test_drawn_sets_have_their_sizes_and_nothing_in_the_padding():
    sets = draw_sets(2000, torch.Generator().manual_seed(0))
    assert set(sets.mask.sum(dim=1).tolist()) == set(range(multisets.LEAST, multisets.MOST + 1))
    assert sets.elements[~sets.mask].abs().max() == 0
    assert (copies(*sets).sum(dim=1) == sets.mask.sum(dim=1)).all()


@pytest.mark.parametrize("pool", ["sum", "mean", "max"])
@pytest.mark.parametrize("name", LABELS)
def test_ceilings_are_those_of_all_sets_in_all_orders(pool, name, monkeypatch):
    monkeypatch.setattr(multisets, "MOST", 4)
    classes = defaultdict(Counter)
    for size in (2, 3, 4):
        for values in product(range(VALUES), repeat=size):
            counts = Counter(values)
            right = {"elements": size, "different values": len(counts)}.get(name, max(counts.values()))
            known = {
                "sum": tuple(sorted(values)),
                "mean": tuple(counts[value] / size for value in range(VALUES)),
                "max": frozenset(values),
            }[pool]
            classes[known][right] += 1 / 3 / VALUES**size
    assert ceiling(pool, name) == pytest.approx(100 * sum(max(answers.values()) for answers in classes.values()))
    if pool == "sum" or (pool, name) in {("mean", "different values"), ("max", "different values")}:
        assert ceiling(pool, name) == pytest.approx(100)
    else:
        assert ceiling(pool, name) < 99
