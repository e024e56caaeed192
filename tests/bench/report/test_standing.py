"""Encoders over several tasks: blocks, errors on one scale, and the diagram."""

from types import SimpleNamespace

import pytest

from setbench.bench.records.record import Record
from setbench.bench.report.document import Grid, Text
from setbench.bench.report.figures.ranks import ranks_figure
from setbench.bench.report.overview import overview
from setbench.bench.report.standing import alike, standing
from setbench.bench.report.tables import tables
from setbench.tasks.catalogue import TASKS


@pytest.fixture
def records(make: SimpleNamespace) -> list[Record]:
    """Three encoders on a task of two families, and two tasks of one family."""
    scores = {
        "clevr_state": {"a": 80.0, "b": 60.0, "c": 40.0},
        "arithmetic_sum": {"a": 50.0, "b": 90.0, "c": 10.0},
        "arithmetic_range": {"a": 50.0, "b": 90.0, "c": 70.0},
    }
    found = [
        make.record(task, row, encoder=row, score=score) for task, rows in scores.items() for row, score in rows.items()
    ]
    return [*found, *(make.constant(task, 20.0) for task in scores)]


def test_tasks_of_one_family_are_one_block(records: list[Record]) -> None:
    found = standing(tables(records))
    assert found is not None
    assert found.families == {"clevr_state": [0], "arithmetic": [1, 2]}
    assert found.means.mean.tolist() == [(1 + 2.5) / 2, (2 + 1) / 2, (3 + 2.5) / 2]


def test_the_five_arithmetic_tasks_are_one_family() -> None:
    assert [name for name, entry in TASKS.items() if entry.family == "arithmetic"] == [
        name for name in TASKS if name.startswith("arithmetic_")
    ]


def test_errors_are_shares_of_the_best_constants(records: list[Record], make: SimpleNamespace) -> None:
    square = [make.record("rotated_square", row, encoder=row, score=score) for row, score in (("a", 0.19), ("b", 0.38))]
    found = standing(tables([*records, *square, make.constant("rotated_square", 0.38)]))
    assert found is not None
    assert found.encoders == ["a", "b"]
    assert dict(zip(found.tasks, found.errors.T.tolist(), strict=True)) == {
        "rotated_square": pytest.approx([0.5, 1.0]),
        "clevr_state": pytest.approx([20 / 80, 40 / 80]),
        "arithmetic_sum": pytest.approx([50 / 80, 10 / 80]),
        "arithmetic_range": pytest.approx([50 / 80, 10 / 80]),
    }
    without = standing(tables([record for record in records if not record.constant]))
    assert without is not None
    assert without.errors.tolist() == without.ranks.tolist()


def test_the_page_says_how_ranks_were_found(records: list[Record]) -> None:
    blocks = overview(alike(tables(records)))
    text = next(block.text for block in blocks if isinstance(block, Text) and "Mean rank" in block.text)
    assert "over 2 blocks (3 tasks; those of one family are one block), among the 3 encoders" in text
    assert "Friedman's test" in text
    assert "Over 2 blocks Wilcoxon's signed-rank test with Holm's method over all 3 pairs can tell none apart" in text
    grid = [block for block in blocks if isinstance(block, Grid)][1]
    assert [row[0].text for row in grid.rows] == ["b", "a", "c"]
    assert grid.rows[0][2].text.startswith("1.50 ± 6.4")  # t of one degree of freedom, 12.7, times 0.5


def test_the_diagram_joins_what_is_not_told_apart(records: list[Record]) -> None:
    found = standing(tables(records))
    assert found is not None
    (axes,) = ranks_figure(found).axes
    names = [text.get_text() for text in axes.texts]
    assert [name for name in "abc" if any(name in text.split() for text in names)] == ["a", "b", "c"]
    bars = [line for line in axes.lines if line.get_linewidth() == 2]
    assert [sorted(line.get_xdata()) for line in bars] == [[1.5, 1.75, 2.75]]
