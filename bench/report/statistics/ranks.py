"""Mean ranks over blocks, and which of them can be told apart (Demšar 2006; Benavoli et al. 2016).

A block is a task, or several tasks of one family, whose ranks are averaged before: five tasks of one kind are no five
witnesses. Only rows with a rank in every block are given in here.

Friedman's test asks whether the rows differ at all. Pairs are then told apart by Wilcoxon's signed-rank test over the
blocks, exact, at an error of 5 % over all pairs by Holm's method.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float

from setbench.bench.report.statistics.comparisons import ERROR, holm
from setbench.bench.report.statistics.intervals import over_seeds

EXACT_BLOCKS = 12
"""Up to so many all signs are tried; of more, as many drawn ones."""


def ranks(worse: Float[np.ndarray, "rows tasks"]) -> Float[np.ndarray, "rows tasks"]:
    """1 is the row with the least number of its column; rows that tie share the mean of their ranks."""
    others, own = worse[None], worse[:, None]
    return (others < own).sum(axis=1) + ((others == own).sum(axis=1) + 1) / 2


class MeanRanks(NamedTuple):
    """``mean`` of every row; ``half`` of its 95 % interval by t over blocks, None for one block; ``friedman``: p of no
    difference at all; ``told``: which pairs are told apart; ``possible``: whether so few blocks can tell any."""

    mean: Float[np.ndarray, " rows"]
    half: Float[np.ndarray, " rows"]
    friedman: float
    told: Bool[np.ndarray, "rows rows"]
    possible: bool


def mean_ranks(blocks: Float[np.ndarray, "rows blocks"], errors: Float[np.ndarray, "rows blocks"]) -> MeanRanks:
    """Of two rows or more over two blocks or more.

    Args:
        blocks: the (mean) rank of each row in each block.
        errors: of each row in each block, on one scale for all blocks: what pairs are compared by, so that whether two
            rows are told apart depends on no third one. Ranks, where there is no such scale.
    """
    rows, count = blocks.shape
    half = np.array([over_seeds(deviation, count) for deviation in blocks.std(axis=1, ddof=1)])
    upper = np.triu_indices(rows, 1)
    p = wilcoxon(errors[upper[0]] - errors[upper[1]])
    rejected, _ = holm(p)
    told = np.zeros((rows, rows), dtype=bool)
    told[upper] = rejected
    possible = 2.0 ** (1 - count) * len(p) <= ERROR
    return MeanRanks(blocks.mean(axis=1), half, friedman(blocks), told | told.T, possible)


def friedman(blocks: Float[np.ndarray, "rows blocks"]) -> float:
    """p of Friedman's test, corrected for ties; 1 where all rows tie in every block."""
    from scipy.special import chdtrc

    rows, count = blocks.shape
    own = ranks(blocks)
    between = count * np.square(own.mean(axis=1) - (rows + 1) / 2).sum()
    within = np.square(own - (rows + 1) / 2).sum() / (count * (rows - 1))
    return float(chdtrc(rows - 1, between / within)) if within > 0 else 1.0


def wilcoxon(differences: Float[np.ndarray, "tests blocks"]) -> Float[np.ndarray, " tests"]:
    """Two-sided p of Wilcoxon's signed-rank test, by trying all signs of the ranks, ties and all; Pratt's (1959) rule:
    a difference of zero is ranked, and has no sign."""
    blocks = differences.shape[1]
    if blocks <= EXACT_BLOCKS:
        signs = 1.0 - 2.0 * (np.arange(2**blocks)[:, None] >> np.arange(blocks) & 1)
    else:
        signs = np.random.default_rng(0).choice([-1.0, 1.0], (2**EXACT_BLOCKS, blocks))
        signs[0] = 1
    magnitudes = ranks(np.abs(differences).T) * (differences != 0).T
    seen = np.abs((magnitudes * np.sign(differences).T).sum(axis=0))
    return (np.abs(signs @ magnitudes) >= seen - 1e-9).mean(axis=0)
