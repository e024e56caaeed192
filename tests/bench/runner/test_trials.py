"""The rule of tuning: which rates are tried, and that every row has as many trials."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from records_for_tests import made

from setbench.bench.plan.cells import Cell, Request, asked_tasks, plan
from setbench.bench.plan.presets import load
from setbench.bench.records.record import MetricInfo, Status
from setbench.bench.runner.trials import chosen, read_trials, trial, trial_cells, trials_text


def a_cell() -> Cell:
    asked = Request(asked_tasks(["arithmetic_sum"]), ["deep_sets"], [], (0,), load("desk"), "cpu", None)
    return plan(asked)[1]


def rates_tried(goodness: dict[float, float | None]) -> tuple[list[float], list[tuple[float, int]]]:
    """The rates of the two short rounds, and (rate, seed) of the long ones, where a short trial scores as told."""
    cell = a_cell()
    cells = trial_cells(cell, 0.001, lambda one: goodness.get(one.settings.learning_rate), 3)
    short = [one for one in cells if one.settings.steps == cell.settings.steps // 3]
    long = [one for one in cells if one.settings.steps == cell.settings.steps]
    assert len(short) + len(long) == len(cells)
    assert {one.seed for one in short} == {1000}
    assert {one.split for one in cells} == {"validation"}
    return (
        [one.settings.learning_rate for one in short],
        [(one.settings.learning_rate, one.seed) for one in long],
    )


FIVE = [0.000111, 0.000333, 0.001, 0.003, 0.009]


@pytest.mark.parametrize(
    ("goodness", "further", "finalists"),
    [
        # the best inside: two between it and its neighbours, sqrt(3) apart
        ({0.000333: 1, 0.001: 3, 0.003: 2}, [0.000577, 0.00173], [0.001, 0.003]),
        # on the upper edge: two further out, and one of these is best now
        ({0.003: 1, 0.009: 2, 0.027: 5, 0.081: 4}, [0.027, 0.081], [0.027, 0.081]),
        # on the lower edge; further out both fail
        ({0.000111: 2, 0.000333: 1, 0.0000123: None}, [0.0000123, 0.000037], [0.000111, 0.000333]),
        # alike: the nearest to the preset's comes first, then the lower one
        ({0.000333: 4, 0.001: 4}, [0.000577, 0.00173], [0.001, 0.000333]),
        (dict.fromkeys([0.000111, 0.000333, 0.003, 0.009], 0.0), [0.000192, 0.000577], [0.000333, 0.003]),
    ],
)
def test_widened_once_and_the_two_best_again(
    goodness: dict[float, float | None], further: list[float], finalists: list[float]
) -> None:
    short, long = rates_tried(goodness)
    assert short == pytest.approx([*FIVE, *further], rel=1e-2)
    assert [rate for rate, _ in long] == pytest.approx([finalists[0]] * 2 + [finalists[1]] * 2, rel=1e-2)
    assert [seed for _, seed in long] == [1001, 1002] * 2


def test_a_row_that_fails_everywhere_has_its_five_trials_and_no_more() -> None:
    assert rates_tried({}) == (pytest.approx(FIVE, rel=1e-2), [])


def test_a_trial_is_the_row_but_for_its_rate_and_length() -> None:
    cell = a_cell()
    for one in trial_cells(cell, 0.001, lambda one: 1.0, 3):
        alike = dict.fromkeys(("learning_rate", "steps", "timing_repeats", "invariance_sets"))
        back = {name: getattr(cell.settings, name) for name in alike}
        assert replace(one.settings, **back) == cell.settings
        assert (one.row, one.options, one.data_key) == (cell.row, cell.options, cell.data_key)


def test_a_trial_is_one_line_and_is_read_back(tmp_path: Path) -> None:
    settings = {"learning_rate": 0.3, "steps": 5, "batch": 2, "latent": 3, "width": 4}
    record = made(row="a", score=30.0, seed=1001, settings=settings, code="c")
    assert record.measured is not None
    less = MetricInfo(unit="", higher_is_better=False, meaning="")
    measured = record.measured.model_copy(update={"metric_info": {"accuracy": less}})
    trials = [
        trial(record),
        trial(record.model_copy(update={"measured": measured, "row": "b"})),
        trial(made(row="c", status=Status.DIVERGED, settings=settings)),
    ]
    assert [one.goodness for one in trials] == [30.0, -30.0, None]
    path = tmp_path / "trials.tsv"
    path.write_text(trials_text(reversed(trials)))
    assert path.read_text().count("\n") == 1 + 3
    assert read_trials(path) == trials


def test_trials_of_two_codes_are_no_choice() -> None:
    """Of one row; another row may be of another code. Trials of the search count too: they chose the finalists."""
    settings = {"learning_rate": 0.3, "steps": 5, "batch": 2, "latent": 3, "width": 4}
    finals = [trial(made(row="a", score=30.0, seed=seed, settings=settings, code="new")) for seed in (1001, 1002)]
    other = [replace(one, row="b", code="old") for one in finals]
    assert chosen([*finals, *other]) == {finals[0].task: {"a": 0.3, "b": 0.3}}
    with pytest.raises(ValueError, match="a: trials of two codes, new and old, are not compared"):
        chosen([*finals, replace(finals[0], seed=1000, code="old")])
