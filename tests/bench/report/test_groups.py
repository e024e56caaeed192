"""The rows that cannot be told from the best one, and what the page says of them."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from setbench.bench.records.record import Record
from setbench.bench.report import write_report
from setbench.bench.report.group import Group
from setbench.bench.report.tables import tables

TASK = "clevr_state"


def rows(
    make: SimpleNamespace, scores: dict[str, list[float]], validation: dict[str, float] | None = None
) -> list[Record]:
    return [
        make.record(
            TASK,
            row,
            seed=seed,
            score=score,
            curve={"validation_step": [1, 2], "validation_score": [99.0, validation[row] + seed]} if validation else {},
        )
        for row, found in scores.items()
        for seed, score in enumerate(found)
    ]


def group(records: list[Record]) -> Group:
    (table,) = tables(records)
    assert table.group is not None
    return table.group


def labels(found: Group) -> list[str]:
    return [result.label for result in found.members]


def test_near_rows_are_one_group_and_a_far_one_is_not(make: SimpleNamespace) -> None:
    found = group(rows(make, {"a": [50.0, 52, 54], "b": [49.0, 51, 53], "far": [20.0, 21, 22]}))
    assert (labels(found), found.reference.label, found.by_validation) == (["a", "b"], "a", False)


def test_the_reference_is_the_best_on_validation(make: SimpleNamespace) -> None:
    """By the last score of each seed; a row that is better on the test split stays in the group."""
    scores = {"luck": [60.0, 60.5, 61.0], "a": [50.0, 50.5, 51.0], "far": [20.0, 21, 22]}
    found = group(rows(make, scores, {"luck": 30.0, "a": 40.0, "far": 10.0}))
    assert (found.reference.label, found.by_validation, labels(found)) == ("a", True, ["luck", "a"])
    without = group(rows(make, scores))
    assert (without.reference.label, labels(without)) == ("luck", ["luck"])


def test_exploded_incomplete_and_single_rows(make: SimpleNamespace) -> None:
    scores = {"a": [50.0, 51, 52], "odd": [50.0, 51, 0.01], "less": [80.0, 81]}
    records = [make.constant(TASK, 6.0), *rows(make, scores)]
    assert (labels(group(records)), group(records).smallest) == (["a"], None)
    (one_seed,) = tables(rows(make, {"a": [50.0], "b": [40.0]}))
    assert one_seed.group is None
    assert [one_seed.best(result) for result in one_seed.models] == [True, False]


def test_which_rows_are_told_apart(make: SimpleNamespace) -> None:
    found = group(rows(make, {"a": [50.0, 51, 52], "b": [49.0, 50, 51], "far": [2.0, 3, 4]}))
    a, b, far = found.rows
    assert (found.told_apart(a, b), found.told_apart(b, far), found.told_apart(far, a)) == (False, True, True)
    assert not found.told_apart(a, a)


@pytest.mark.parametrize("spread", [0.5, 2.0])
def test_the_smallest_difference_is_where_a_row_is_told(make: SimpleNamespace, spread: float) -> None:
    """Two rows: a third one that moves would change what Holm's method asks of the others."""
    ends = [-spread, 0.0, spread]
    least = group(rows(make, {"a": [50 + end for end in ends], "b": [50 + end for end in ends]})).smallest
    assert least is not None
    for factor, members in ((0.98, ["a", "b"]), (1.02, ["a"])):
        far = [50 - factor * least + end for end in ends]
        assert labels(group(rows(make, {"a": [50 + end for end in ends], "b": far}))) == members


def test_the_page_says_what_it_means(make: SimpleNamespace, tmp_path: Path) -> None:
    scores = {"a": [50.0, 52, 54], "b": [49.0, 51, 53], "far": [20.0, 21, 22]}
    write_report(rows(make, scores, {"a": 30.0, "b": 20.0, "far": 10.0}), tmp_path)
    markdown, html = ((tmp_path / f"leaderboard.{kind}").read_text() for kind in ("md", "html"))
    for text in (markdown, html):
        assert "Interval: 12.3 ± 0.4 is the mean over seeds" in text
        assert "Group: in bold" in text
        assert "Smallest difference: over each table" in text
        assert "Compared over 3 seeds; a row is told from it at a difference of about" in text
    assert "In bold: a (best on validation), and what cannot be told from it: b." in markdown
    assert "Best on validation: <strong>a</strong>. Cannot be told from it: b." in html
    assert "**a**" in markdown
    assert "**b**" in markdown
    assert "**far**" not in markdown
