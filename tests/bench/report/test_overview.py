"""The best of each paradigm, and mean ranks over equal subsets alone."""

import pytest

from setbench.bench.report.document import Grid
from setbench.bench.report.overview import best_of_paradigms, best_rows, overview
from setbench.bench.report.standing import alike, standing
from setbench.bench.report.tables import tables


def grids(blocks):
    return [block for block in blocks if isinstance(block, Grid)]


def test_the_best_of_each_paradigm(make):
    rows = {"a": ("permuting", 3.0), "b": ("permuting", 8.0), "c": ("sorting", 5.0)}
    records = [make.record("clevr_state", row, paradigm=name, score=score) for row, (name, score) in rows.items()]
    found = tables([*records, make.constant("clevr_state", 6.0)])
    grid = best_of_paradigms(found)
    row = dict(zip(grid.columns, grid.rows[0], strict=True))
    assert (row["permuting"].text, row["permuting"].strong) == ("8.00", True)
    assert (row["sorting"].text, row["sorting"].strong) == ("5.00 †", False)
    (grid,) = grids(overview(alike(found)))
    assert [cell.text for cell in grid.rows[0]] == ["clevr_state", "b", "ap_inf ↑", "8.00", "6.00", "30.0", "–"]


def test_the_answer_says_how_many_rows_the_best_is_not_told_from(make):
    """a and b overlap, far does not; by hand, as tests/bench/report/test_groups.py has it."""
    scores = {"a": [50.0, 52, 54], "b": [49.0, 51, 53], "far": [20.0, 21, 22]}
    records = [
        make.record("clevr_state", row, seed=seed, score=score)
        for row, found in scores.items()
        for seed, score in enumerate(found)
    ]
    row = dict(zip((grid := best_rows(tables(records))).columns, grid.rows[0], strict=True))
    assert (row["best row"].text, row["best row"].strong, row["group"].text) == ("a", True, "2 of 3")
    assert row["value"].text.startswith("52.0 ± 5.0")  # t = 4.303 over sqrt(3), by 2


def test_mean_rank_leaves_out_who_lacks_a_result(make):
    """b fails where it would be last; over its own tasks alone it would have the best mean rank."""
    scores = {"clevr_state": {"a": 9.0, "b": 10.0, "c": 1.0}, "set_digits_classes": {"a": 80.0, "c": 90.0}}
    records = [
        make.record(task, row, encoder=row, score=score) for task, rows in scores.items() for row, score in rows.items()
    ]
    records.append(make.failure("set_digits_classes", "b", "diverged", "", encoder="b"))
    found = standing(tables(records))
    assert dict(zip(found.encoders, found.ranks.tolist(), strict=True)) == {"a": [1, 2], "c": [2, 1]}
    assert found.left_out == ["b"]


def test_an_encoder_counts_by_its_best_row_and_lower_may_be_better(make):
    rows = {"a + mlp": ("a", 0.3), "a + dspn": ("a", 0.1), "b + dspn": ("b", 0.2)}
    records = [make.record("rotated_square", row, encoder=name, score=score) for row, (name, score) in rows.items()]
    records += [make.record("clevr_state", name, encoder=name, score=score) for name, score in (("a", 4), ("b", 4))]
    found = standing(tables(records))
    assert dict(zip(found.encoders, found.ranks.tolist(), strict=True)) == {"a": [1, 1.5], "b": [2, 1.5]}


@pytest.mark.parametrize("tasks", [["clevr_state"], []])
def test_no_mean_rank_over_less_than_two_tasks(make, tasks):
    records = [make.record(task, row, encoder=row) for task in tasks for row in "ab"]
    assert len(grids(overview(alike(tables(records))))) == len(tasks)
