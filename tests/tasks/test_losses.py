"""The set losses against brute force over all permutations, in numpy."""

import itertools

import numpy as np
import pytest
import torch

from setbench.sets import PredictedSets, SetBatch
from setbench.tasks.losses import assign, chamfer_padded, hungarian


def random_sets(size: int, features: int, batch: int = 5, seed: int = 0) -> tuple[PredictedSets, SetBatch]:
    generator = torch.Generator().manual_seed(seed)
    draw = {"generator": generator, "dtype": torch.float64}
    # Spread of 2, so that both branches of the Huber function are met.
    guess = PredictedSets(2 * torch.randn(batch, size, features, **draw), torch.rand(batch, size, **draw))
    mask = torch.arange(size) < torch.randint(0, size + 1, (batch, 1), generator=generator)
    return guess, SetBatch(2 * torch.randn(batch, size, features, **draw) * mask[..., None], mask)


def costs_by_hand(guess: PredictedSets, target: SetBatch) -> np.ndarray:
    left = np.concatenate([guess.elements.numpy(), guess.presence.numpy()[..., None]], -1)
    right = np.concatenate([target.elements.numpy(), target.mask.numpy()[..., None]], -1)
    d = np.abs(left[:, :, None] - right[:, None])
    return np.where(d < 1, d**2 / 2, d - 0.5).mean(-1)


@pytest.mark.parametrize("size", [1, 2, 4, 6])
def test_hungarian_is_the_least_over_all_permutations(size: int) -> None:
    guess, target = random_sets(size, 3)
    least = [
        min(np.mean([cost[i, p[i]] for i in range(size)]) for p in itertools.permutations(range(size)))
        for cost in costs_by_hand(guess, target)
    ]
    assert hungarian(guess, target).item() == pytest.approx(np.mean(least), rel=1e-12)


@pytest.mark.parametrize("size", [1, 4, 7])
def test_chamfer_is_both_means_of_minima(size: int) -> None:
    guess, target = random_sets(size, 2)
    cost = costs_by_hand(guess, target)
    assert chamfer_padded(guess, target).item() == pytest.approx(
        (cost.min(2).mean(1) + cost.min(1).mean(1)).mean(), rel=1e-12
    )


def test_multiplicity_is_seen_by_hungarian_alone() -> None:
    a, b = [0.0, 0.0], [1.0, 0.0]
    aab, abb = torch.tensor([[a, a, b]]), torch.tensor([[a, b, b]])
    guess, target = PredictedSets(aab, torch.ones(1, 3)), SetBatch(abb, torch.ones(1, 3, dtype=torch.bool))
    assert chamfer_padded(guess, target).item() == 0
    # One a meets one b: Huber(1) = 1/2 in one of three channels, for one of three slots.
    assert hungarian(guess, target).item() == pytest.approx(0.5 / 9)


@pytest.mark.parametrize("loss", [chamfer_padded, hungarian])
def test_gradient_is_that_of_the_full_formula(loss) -> None:
    guess, target = random_sets(5, 3)

    def of(elements: torch.Tensor, presence: torch.Tensor) -> torch.Tensor:
        return loss(PredictedSets(elements, presence), target)

    inputs = tuple(part.requires_grad_() for part in guess)
    assert torch.autograd.gradcheck(of, inputs)
    assert torch.autograd.gradgradcheck(of, inputs)


@pytest.mark.parametrize("loss", [chamfer_padded, hungarian])
def test_order_of_slots_is_nothing(loss) -> None:
    guess, target = random_sets(6, 3)
    order, other = torch.randperm(6), torch.randperm(6)
    moved = loss(
        PredictedSets(guess.elements[:, order], guess.presence[:, order]),
        SetBatch(target.elements[:, other], target.mask[:, other]),
    )
    assert moved.item() == pytest.approx(loss(guess, target).item(), rel=1e-12)


def test_blocks_change_nothing() -> None:
    """More pairs than one block holds: the same value as sample by sample."""
    generator = torch.Generator().manual_seed(0)
    guess = PredictedSets(torch.rand(3, 342, 2, generator=generator), torch.rand(3, 342, generator=generator))
    target = SetBatch(torch.rand(3, 342, 2, generator=generator), torch.rand(3, 342, generator=generator) > 0.5)
    single = [
        chamfer_padded(
            PredictedSets(*(part[i : i + 1] for part in guess)), SetBatch(*(part[i : i + 1] for part in target))
        )
        for i in range(3)
    ]
    assert chamfer_padded(guess, target).item() == pytest.approx(torch.stack(single).mean().item(), rel=1e-6)


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_what_is_not_finite_is_said(bad: float) -> None:
    guess, target = random_sets(4, 2)
    guess.elements[1, 2, 0] = bad
    with pytest.raises(FloatingPointError, match="the loss is not finite"):
        hungarian(guess, target)
    assert not torch.isfinite(chamfer_padded(guess, target))


def test_unequal_slots() -> None:
    guess, _ = random_sets(4, 2)
    _, target = random_sets(5, 2)
    with pytest.raises(ValueError, match="4, 5"):
        hungarian(guess, target)


def test_no_problems_no_assignments() -> None:
    assert assign(torch.zeros(0, 4, 4)).shape == (0, 4)


@pytest.mark.parametrize(("batch", "slots", "size"), [(0, 3, 3), (0, 0, 0), (2, 0, 0), (2, 3, 0), (2, 0, 3)])
def test_the_loss_of_nothing_is_0_with_a_gradient(batch: int, slots: int, size: int) -> None:
    guess = PredictedSets(torch.ones(batch, slots, 2).requires_grad_(), torch.ones(batch, slots).requires_grad_())
    target = SetBatch(torch.zeros(batch, size, 2), torch.zeros(batch, size, dtype=torch.bool))
    for loss in (chamfer_padded, *[hungarian] * (slots == size)):
        value = loss(guess, target)
        assert value.item() == 0
        for part, slope in zip(guess, torch.autograd.grad(value, guess), strict=True):
            assert slope.shape == part.shape
            assert not slope.any()


@pytest.mark.parametrize("loss", [chamfer_padded, hungarian])
@pytest.mark.parametrize("autocast", [False, True])
def test_half_precision(loss, autocast: bool) -> None:
    """Value and gradient of bfloat16 predictions, and of anything under autocast, are near those in float32."""
    guess, target = random_sets(6, 3)
    exact = [part.bfloat16().float().requires_grad_() for part in guess]
    wanted = loss(PredictedSets(*exact), target)
    halves = [part.detach() if autocast else part.detach().bfloat16() for part in exact]
    halves = [part.requires_grad_() for part in halves]
    with torch.autocast("cpu", torch.bfloat16, enabled=autocast):
        found = loss(PredictedSets(*halves), target)
    assert found.item() == pytest.approx(wanted.item(), rel=0.02)
    slopes = torch.autograd.grad(found, halves), torch.autograd.grad(wanted, exact)
    for half, full in zip(*slopes, strict=True):
        assert (half.float() - full).norm() <= 0.05 * full.norm()
