"""The set losses against brute force over all permutations, in numpy."""

import itertools

import numpy as np
import pytest
import torch

from setbench.tasks.interfaces import SetBatch, SetGuess
from setbench.tasks.losses import assign, chamfer_padded, hungarian


def random_sets(size: int, features: int, batch: int = 5, seed: int = 0) -> tuple[SetGuess, SetBatch]:
    generator = torch.Generator().manual_seed(seed)
    draw = {"generator": generator, "dtype": torch.float64}
    # Spread of 2, so that both branches of the Huber function are met.
    guess = SetGuess(2 * torch.randn(batch, size, features, **draw), torch.rand(batch, size, **draw))
    mask = torch.arange(size) < torch.randint(0, size + 1, (batch, 1), generator=generator)
    return guess, SetBatch(2 * torch.randn(batch, size, features, **draw) * mask[..., None], mask)


def costs_by_hand(guess: SetGuess, target: SetBatch) -> np.ndarray:
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
    guess, target = SetGuess(aab, torch.ones(1, 3)), SetBatch(abb, torch.ones(1, 3, dtype=torch.bool))
    assert chamfer_padded(guess, target).item() == 0
    # One a meets one b: Huber(1) = 1/2 in one of three channels, for one of three slots.
    assert hungarian(guess, target).item() == pytest.approx(0.5 / 9)


@pytest.mark.parametrize("loss", [chamfer_padded, hungarian])
def test_gradient_is_that_of_the_full_formula(loss) -> None:
    guess, target = random_sets(5, 3)

    def of(elements: torch.Tensor, presence: torch.Tensor) -> torch.Tensor:
        return loss(SetGuess(elements, presence), target)

    inputs = tuple(part.requires_grad_() for part in guess)
    assert torch.autograd.gradcheck(of, inputs)
    assert torch.autograd.gradgradcheck(of, inputs)


@pytest.mark.parametrize("loss", [chamfer_padded, hungarian])
def test_order_of_slots_is_nothing(loss) -> None:
    guess, target = random_sets(6, 3)
    order, other = torch.randperm(6), torch.randperm(6)
    moved = loss(
        SetGuess(guess.elements[:, order], guess.presence[:, order]),
        SetBatch(target.elements[:, other], target.mask[:, other]),
    )
    assert moved.item() == pytest.approx(loss(guess, target).item(), rel=1e-12)


def test_blocks_change_nothing() -> None:
    """More pairs than one block holds: the same value as sample by sample."""
    generator = torch.Generator().manual_seed(0)
    guess = SetGuess(torch.rand(3, 342, 2, generator=generator), torch.rand(3, 342, generator=generator))
    target = SetBatch(torch.rand(3, 342, 2, generator=generator), torch.rand(3, 342, generator=generator) > 0.5)
    single = [
        chamfer_padded(SetGuess(*(part[i : i + 1] for part in guess)), SetBatch(*(part[i : i + 1] for part in target)))
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
