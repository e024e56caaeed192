"""Tuples by brute force, and the rows that are compared."""

from itertools import permutations

import pytest

from setbench.bench.experiments.janossy_k import KS, RHOS, SIZE, TASKS, settings, tuples
from setbench.tasks.catalogue import find


@pytest.mark.parametrize("k", KS)
def test_tuples_are_counted(k):
    assert tuples(k) == len(list(permutations(range(SIZE), k)))


def test_all_k_up_to_the_sets_size_and_both_rhos_are_there():
    assert max(KS) == SIZE
    for task in TASKS:
        assert find(task).max_size({}) == SIZE
        assert {(one["rho"], one["k"]) for one in settings(1.0) if one["task"] == task} == {
            (rho, k) for rho in RHOS for k in KS
        }
