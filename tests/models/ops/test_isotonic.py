"""Isotonic regression of many rows against one row at a time, by two other methods, on hard cases and on no device."""

import numpy as np
import pytest
import torch
from scipy.optimize import isotonic_regression

from setbench.models.ops import isotonic as module
from setbench.models.ops.isotonic import _gamma, block_starts, by_chords, by_rounds, isotonic
from setbench.models.ops.permutahedron import soft_rank, soft_sort

METHODS = ["l2", "kl"]


def pool_adjacent_violators(s: np.ndarray, w: np.ndarray, regularization: str) -> list[float]:
    """The textbook's stack, one element at a time."""
    blocks: list[tuple[list[float], list[float]]] = []

    def value(block: tuple[list[float], list[float]]) -> float:
        if regularization == "l2":
            return float(np.mean(block[0]) - np.mean(block[1]))
        return float(np.logaddexp.reduce(block[0]) - np.logaddexp.reduce(block[1]))

    for a, b in zip(s, w, strict=True):
        block = ([a], [b])
        while blocks and value(blocks[-1]) < value(block):
            before = blocks.pop()
            block = (before[0] + block[0], before[1] + block[1])
        blocks.append(block)
    return [v for block in blocks for v in [value(block)] * len(block[0])]


def problem(kind: str, size: int, rows: int = 5) -> tuple[torch.Tensor, torch.Tensor]:
    """s and w, both descending, as soft sort and soft rank have them."""
    generator = torch.Generator().manual_seed(size)
    values = torch.randn(rows, size, dtype=torch.float64, generator=generator) * (size**2 / 12) ** 0.5
    values = {"random": values, "ties": values.round() // 2, "equal": values[:, :1].expand(rows, size)}[kind]
    return values.sort(dim=1, descending=True).values, torch.arange(size, 0, -1).double().expand(rows, size)


@pytest.mark.parametrize("regularization", METHODS)
@pytest.mark.parametrize("kind", ["random", "ties", "equal"])
@pytest.mark.parametrize("size", [1, 2, 10, 64, 342])
@pytest.mark.parametrize("strength", [1e-6, 0.1, 1.0, 100.0])
def test_every_row_is_that_of_the_stack(size, kind, regularization, strength):
    values, ranks = problem(kind, size)
    logs = ranks.log() if regularization == "kl" else ranks
    for s, w in ((values / strength, logs), (ranks / strength, values)):
        sizes = torch.tensor([size, size // 2, 1, 0, size])
        found = isotonic(s, w, sizes, regularization)
        for row, a, b, n in zip(found, s.numpy(), w.numpy(), sizes, strict=True):
            expected = pool_adjacent_violators(a[:n], b[:n], regularization)
            np.testing.assert_allclose(row[:n], expected, rtol=1e-9, atol=1e-9)
            np.testing.assert_allclose(row[n:], (a - b)[n:], rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("regularization", METHODS)
@pytest.mark.parametrize("kind", ["random", "ties"])
def test_chords_and_rounds_give_the_same_regression(kind, regularization, monkeypatch):
    for size in (1, 2, 9, 100):
        w, s = problem(kind, size)
        sizes = torch.tensor([size, size // 2, 1, 0, size])
        values = []
        for find in (by_chords, by_rounds):
            monkeypatch.setattr(module, "by_rounds", find)
            values.append(isotonic(s, w, sizes, regularization))
            monkeypatch.undo()
        torch.testing.assert_close(*values, rtol=1e-12, atol=1e-12)


def test_chords_are_scipys_too():
    y = torch.randn(4, 60, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    starts = by_chords(_gamma(y, torch.zeros_like(y), "l2"), y, torch.full((4,), 60))
    for row, found in zip(y.numpy(), starts.numpy(), strict=True):
        assert np.array_equal(np.flatnonzero(found), isotonic_regression(row, increasing=False).blocks[:-1])


def test_a_row_in_which_every_round_pools_one_block_more_is_done_too():
    y = torch.cat([torch.arange(50.0, 0, -1), torch.tensor([1e4])])[None].double()
    found = isotonic(y, torch.zeros_like(y), torch.tensor([51]), "l2")[0]
    np.testing.assert_allclose(found, isotonic_regression(y[0].numpy(), increasing=False).x, rtol=1e-12)


@pytest.mark.parametrize("regularization", METHODS)
def test_chunks_change_nothing(regularization, monkeypatch):
    w, s = problem("random", 20, rows=7)
    sizes = torch.arange(20, 13, -1)
    whole = block_starts(s, w, sizes, regularization)
    monkeypatch.setattr(module, "CHUNK", 40)
    assert torch.equal(block_starts(s, w, sizes, regularization), whole)


@pytest.mark.parametrize("operator", [soft_sort, soft_rank])
@pytest.mark.parametrize("regularization", METHODS)
def test_nothing_is_asked_of_the_device(operator, regularization):
    """On the meta device whatever reads a value raises: so would it wait for a GPU."""
    values = torch.empty(3, 7, device="meta", requires_grad=True)
    mask = torch.empty(3, 7, dtype=torch.bool, device="meta")
    (slope,) = torch.autograd.grad(
        operator(values, mask, 1.0, regularization).square().sum(), values, create_graph=True
    )
    (second,) = torch.autograd.grad(slope.square().sum(), values, allow_unused=True, materialize_grads=True)
    assert second.shape == values.shape


@pytest.mark.parametrize("regularization", METHODS)
@pytest.mark.parametrize("operator", [soft_sort, soft_rank])
def test_bfloat16_ranks_of_large_sets_are_right_to_its_last_digit(operator, regularization):
    values = 3 * torch.randn(2, 342, generator=torch.Generator().manual_seed(0)).bfloat16()
    mask = torch.ones(2, 342, dtype=torch.bool)
    found = operator(values, mask, 1.0, regularization)
    assert found.dtype == torch.bfloat16
    torch.testing.assert_close(found, operator(values.float(), mask, 1.0, regularization).bfloat16(), rtol=0, atol=0)
