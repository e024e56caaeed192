"""Intervals hold the truth and equal rows are not told apart: on a few simulated tables, and as committed on many."""

import re
from pathlib import Path

import numpy as np
import pytest

from setbench.bench.maintenance.simulated_tables import KINDS, draw, shares

COMMITTED = Path(__file__).parents[3] / "results" / "statistics" / "simulated_tables.txt"


@pytest.mark.parametrize("name", ["3 seeds vary as much as items", "5 seeds, ten items of each picture"])
def test_intervals_hold_the_truth_and_equal_rows_are_not_told_apart(name: str) -> None:
    (kind,) = (kind for kind in KINDS if kind.name == name)
    held, wrong = shares(kind, 150)
    assert 0.93 <= held <= 0.97  # of 1,500 rows
    assert wrong <= 0.05


def test_unequal_rows_are_told_apart() -> None:
    """The share is no 0 for want of power: one row of ten that is worse by ten is told in most tables."""
    from setbench.bench.report.statistics.comparisons import apart

    (kind,) = (kind for kind in KINDS if kind.name == "5 seeds vary as much as items")
    generator = np.random.default_rng(0)
    seen = 0
    for _ in range(50):
        values = draw(kind, generator)
        values[3] -= 10
        seen += bool(apart(values, kind.independent).told[3, 5])
    assert seen >= 40


def test_simulated_tables_have_the_variances_that_they_say() -> None:
    (kind,) = (kind for kind in KINDS if kind.name == "10 seeds vary more than items")
    values = np.stack([draw(kind, np.random.default_rng(seed)) for seed in range(40)])
    of_seeds = values.mean(axis=3).var(axis=2, ddof=1).mean()
    assert of_seeds == pytest.approx(kind.seed**2 + kind.rest**2 / kind.items, rel=0.1)
    assert values.mean() == pytest.approx(50, abs=0.6)


def test_every_kind_is_committed_and_within_bounds() -> None:
    """As printed by ``python -m setbench.bench.maintenance.simulated_tables``."""
    rows = re.findall(r"^(.+?) +([\d.]+)% +([\d.]+)%$", COMMITTED.read_text(encoding="utf-8"), re.MULTILINE)
    assert [name for name, _, _ in rows] == [kind.name for kind in KINDS]
    for name, held, wrong in rows:
        assert 93 <= float(held) <= 97, name
        assert float(wrong) < 5, name
