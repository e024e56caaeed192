"""Sinkhorn's algorithm against numpy on each set alone, and near zero temperature against the best permutation."""

from itertools import permutations

import numpy as np
import torch

from setbench.models.ops.sinkhorn import arrange, sinkhorn


def test_equals_plain_divisions_on_each_set_without_its_padding():
    logits = torch.randn(3, 5, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    mask = torch.tensor([[1, 1, 1, 1, 1], [0, 1, 0, 1, 1], [0, 0, 0, 0, 0]]).bool()
    found = sinkhorn(logits, mask, rounds=7)
    for matrix, real, result in zip(logits.numpy(), mask.numpy(), found.numpy(), strict=True):
        n = int(real.sum())
        expected = np.zeros((5, 5))
        inner = np.exp(matrix[real][:, :n])
        for _ in range(7):
            inner = inner / inner.sum(axis=1, keepdims=True)
            inner = inner / inner.sum(axis=0, keepdims=True)
        expected[np.ix_(real, np.arange(5) < n)] = inner
        np.testing.assert_allclose(result, expected, atol=1e-13)


def test_many_rounds_make_rows_and_columns_sum_to_one():
    logits = torch.randn(1, 6, 6, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    found = sinkhorn(logits, torch.ones(1, 6, dtype=torch.bool), rounds=300)
    for axis in (1, 2):
        torch.testing.assert_close(found.sum(dim=axis), torch.ones(1, 6, dtype=torch.float64))


def test_near_zero_temperature_it_is_the_best_permutation():
    logits = torch.randn(5, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    best = max(permutations(range(5)), key=lambda p: sum(logits[i, p[i]] for i in range(5)))
    found = sinkhorn(logits[None] / 0.01, torch.ones(1, 5, dtype=torch.bool), rounds=500)
    torch.testing.assert_close(found[0], torch.eye(5, dtype=torch.float64)[list(best)], rtol=0, atol=0.01)


def test_arrange_puts_elements_at_their_positions():
    elements = torch.arange(8.0).reshape(1, 4, 2)
    to = [2, 0, 3, 1]  # element i goes to position to[i]
    arranged = arrange(torch.eye(4)[to][None], elements)[0]
    for i, position in enumerate(to):
        assert torch.equal(arranged[position], elements[0, i])
