"""Ranks, Friedman's and Wilcoxon's tests against scipy, scikit-posthocs and bencheval."""

import numpy as np
import pandas as pd
import pytest
import scikit_posthocs
from bencheval.evaluator import BenchmarkEvaluator
from scipy import stats

from setbench.bench.report.statistics.ranks import friedman, mean_ranks, ranks, wilcoxon


@pytest.fixture(scope="module")
def errors() -> np.ndarray:
    """Of 6 rows on 10 blocks, the later ones worse, two of them tied somewhere."""
    drawn = np.random.default_rng(0).normal(size=(6, 10)) + 2 * np.arange(6)[:, None]
    drawn[1, 3] = drawn[2, 3]
    return drawn


def test_ranks_are_scipys(errors: np.ndarray) -> None:
    assert ranks(errors).tolist() == stats.rankdata(errors, axis=0).tolist()


def test_mean_ranks_are_bencheval_s(errors: np.ndarray) -> None:
    rows = [
        {"method": f"m{row}", "task": f"t{task}", "metric_error": value}
        for (row, task), value in np.ndenumerate(errors)
    ]
    shifted = pd.DataFrame(rows).assign(metric_error=lambda frame: frame.metric_error + 10)  # it wants no error below 0
    evaluator = BenchmarkEvaluator(columns_to_agg_extra=None)
    theirs = evaluator.compute_rank(evaluator.compute_results_per_task(shifted))
    ours = mean_ranks(ranks(errors), errors).mean
    assert [theirs[f"m{row}"] for row in range(6)] == pytest.approx(ours)


def test_intervals_are_t_over_blocks(errors: np.ndarray) -> None:
    own = ranks(errors)
    low, high = stats.t.interval(0.95, 9, own[2].mean(), stats.sem(own[2]))
    assert mean_ranks(own, errors).half[2] == pytest.approx((high - low) / 2)


def test_friedman_is_scipys(errors: np.ndarray) -> None:
    assert friedman(ranks(errors)) == pytest.approx(stats.friedmanchisquare(*errors).pvalue)
    tied = errors.round(0)
    assert friedman(ranks(tied)) == pytest.approx(stats.friedmanchisquare(*tied).pvalue)
    assert friedman(np.full((3, 4), 2.0)) == 1


def test_wilcoxon_is_scipys_exact_one(errors: np.ndarray) -> None:
    differences = errors[1:] - errors[:1]
    exact = [stats.wilcoxon(row, method="exact").pvalue for row in differences]
    assert wilcoxon(differences) == pytest.approx(exact)


def test_wilcoxon_of_ties_and_zeros_is_scipys_by_permutation() -> None:
    row = np.array([0.0, 1, 1, 2, -1, 3, 3, 0])
    method = stats.PermutationMethod(n_resamples=2**9)
    theirs = stats.wilcoxon(row, zero_method="pratt", method=method).pvalue
    assert wilcoxon(row[None])[0] == pytest.approx(theirs)


def test_of_many_blocks_signs_are_drawn() -> None:
    row = np.random.default_rng(1).normal(0.4, 1, 20)
    assert wilcoxon(row[None])[0] == pytest.approx(stats.wilcoxon(row, method="exact").pvalue, abs=0.02)


def test_pairs_are_told_apart_as_scikit_posthocs_says(errors: np.ndarray) -> None:
    theirs = scikit_posthocs.posthoc_wilcoxon(list(errors), method="exact", p_adjust="holm").to_numpy() <= 0.05
    found = mean_ranks(ranks(errors), errors)
    assert found.told.tolist() == theirs.tolist()
    assert 0 < found.told.sum() < 30
    assert found.possible


def test_few_blocks_can_tell_none_apart() -> None:
    """Five rows are ten pairs: the least p of seven blocks is 1/64, of nine 1/256."""
    for blocks, possible in ((7, False), (9, True)):
        own = np.repeat(np.arange(1.0, 6)[:, None], blocks, axis=1)
        found = mean_ranks(own, own)
        assert found.possible == found.told.any() == possible
