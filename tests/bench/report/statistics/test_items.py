"""Scores of test items, as the cells kept them, and the interval and the group that they give."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from setbench.bench.records.predictions import save_items
from setbench.bench.records.record import Record
from setbench.bench.report.statistics.intervals import half_width
from setbench.bench.report.statistics.items import independent_items, item_values
from setbench.bench.report.tables import tables

TASK = "set_digits_classes"  # whose headline is accuracy


def row(make: SimpleNamespace, folder: Path, name: str, right: np.ndarray, **changes: object) -> list[Record]:
    """Records with the accuracy of ``right``: bool[seeds, items], which is kept beside them."""
    records = []
    for seed, items in enumerate(right):
        score = 100 * items.mean()
        record = make.record(TASK, name, id=f"{name}{seed}", seed=seed, score=score, **changes)
        save_items(folder, record.id, {"accuracy": items})
        records.append(record)
    return records


@pytest.fixture
def right() -> np.ndarray:
    """Of two rows: hard items are hard for both, the second is right on four more in a hundred."""
    generator = np.random.default_rng(0)
    hard = generator.random(1000)
    noise = generator.random((2, 3, 1000))
    return (0.8 * hard + 0.2 * noise) < np.array([0.50, 0.54])[:, None, None]


def test_right_or_wrong_is_in_per_cent(make: SimpleNamespace, right: np.ndarray, tmp_path: Path) -> None:
    values = item_values(row(make, tmp_path, "a", right[0]), tmp_path)
    assert values is not None
    assert values.tolist() == (100.0 * right[0]).tolist()


def test_the_root_of_a_mean_is_taken_to_first_order(make: SimpleNamespace, tmp_path: Path) -> None:
    """The mean is the metric, and so is its spread: the bootstrap's over the items."""
    squared = np.random.default_rng(1).chisquare(3, 2000).astype("f4")
    score = float(np.sqrt(squared.mean()))
    record = make.record("arithmetic_variance", "a", score=score, id="a")
    save_items(tmp_path, "a", {"squared_error": squared})
    values = item_values([record], tmp_path)
    assert values is not None
    assert values.mean() == pytest.approx(score, rel=1e-5)
    drawn = np.random.default_rng(2).integers(0, 2000, (400, 2000))
    assert values.std() / np.sqrt(2000) == pytest.approx(np.sqrt(squared[drawn].mean(axis=1)).std(), rel=0.1)


def test_items_of_another_metric_or_none_are_left_alone(make: SimpleNamespace, tmp_path: Path) -> None:
    kept = np.array([1.0, 0.0, np.nan, 1.0], "f4")
    records = [make.record("rotated_square", "a", id=f"r{seed}", seed=seed, score=2 / 3) for seed in range(2)]
    assert item_values(records, tmp_path) is None
    save_items(tmp_path, "r0", {"mean_error": kept})
    assert item_values(records, tmp_path) is None
    save_items(tmp_path, "r1", {"mean_error": kept})
    values = item_values(records, tmp_path)
    assert values is not None
    assert values.tolist() == [[1, 0, 1]] * 2
    save_items(tmp_path, "r1", {"mean_error": np.array([1.0, 1.0, 1.0, 1.0], "f4")})  # not of this score
    assert item_values(records, tmp_path) is None
    assert item_values([], tmp_path) is None
    assert item_values(records, None) is None


def test_a_row_has_the_interval_over_seeds_and_items(make: SimpleNamespace, right: np.ndarray, tmp_path: Path) -> None:
    (table,) = tables(row(make, tmp_path, "a", right[0], independent_items=100), tmp_path)
    found = table.score(table.results[0])
    assert found is not None
    assert found.half == pytest.approx(half_width(100.0 * right[0], 100))
    assert independent_items(table.results[0].records, 1000) == 100


@pytest.mark.parametrize(
    ("copies", "independent", "members"), [(1, 20, ["b", "a"]), (50, 1000, ["b"]), (50, 20, ["b", "a"])]
)
def test_what_differs_on_three_of_twenty_items_may_not_on_others(
    make: SimpleNamespace, tmp_path: Path, copies: int, independent: int, members: list[str]
) -> None:
    """Whatever the seeds say, which all agree: 3 of 20 is 1.8 standard errors. On a thousand items, unless they are
    copies, the same share is far from nothing."""
    known = np.repeat([[np.arange(20) < 10] * 3, [np.arange(20) < 13] * 3], copies, axis=2)
    records = [
        record
        for name, right in zip("ab", known, strict=True)
        for record in row(make, tmp_path, name, right, independent_items=independent)
    ]
    (alone,), (both,) = tables(records), tables(records, tmp_path)
    assert alone.group is not None
    assert both.group is not None
    assert ([one.label for one in alone.group.members], alone.group.items) == (["b"], None)
    assert ([one.label for one in both.group.members], both.group.items) == (members, independent)
