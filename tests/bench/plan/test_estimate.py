"""The estimate: a schedule worked out by hand, and what was measured before what is guessed."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from records_for_tests import made

from setbench.bench.maintenance import costs as costs_module
from setbench.bench.maintenance.costs import update_costs
from setbench.bench.plan import estimate as estimate_module
from setbench.bench.plan.cells import Cell, Request, asked_tasks, plan
from setbench.bench.plan.estimate import START_SECONDS, UNKNOWN, Estimate, cost_key, human
from setbench.bench.plan.presets import load
from setbench.bench.records.record import Machine, Record, Status


@pytest.fixture
def costs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty table of costs, on a machine whose reference operation takes two seconds."""
    path = tmp_path / "costs.json"
    for module in (costs_module, estimate_module):
        monkeypatch.setattr(module, "COSTS", path)
        monkeypatch.setattr(module, "cpu_unit_seconds", lambda: 2.0)
    return path


def cells(*names: str, task: str = "arithmetic_sum") -> list[Cell]:
    return plan(Request(asked_tasks([task]), names, None, (0,), load("smoke"), "cpu", None))[1:]


def record(row: str, seconds: float, cpu: str = "this", status: Status = Status.OK, seed: int = 0) -> Record:
    score = 1.0 if status is Status.OK else None
    machine = Machine(cpu=cpu, cores=1, memory_gb=1, platform="")
    return made(score=score, row=row, seconds=seconds, status=status, seed=seed, machine=machine)


def test_a_schedule_by_hand(costs: Path) -> None:
    """5, 3, 2, 4 seconds on two workers: 5 beside 3 + 2, then 4: 9 s; data come before, one after the other."""
    names = ["deep_sets", "janossy:k=2", "raw_mlp", "raw_lstm"]
    records = [record(name, seconds) for name, seconds in zip(names, (5.0, 3.0, 2.0, 4.0), strict=True)]
    costs.write_text(json.dumps({cost_key("smoke", "arithmetic_sum", "(data)"): 3.5}))
    estimate = Estimate(records, "this")
    due = cells(*names)
    assert estimate.total(due, [], 1) == START_SECONDS + 14
    assert estimate.total(due, [], 2) == START_SECONDS + 9
    assert estimate.total(due, [], 9) == START_SECONDS + 5
    assert estimate.total(due, [("smoke", "arithmetic_sum")], 2) == START_SECONDS + 7 + 9
    assert estimate.total([], [], 2) == START_SECONDS


def test_what_cannot_run_takes_no_time(costs: Path) -> None:
    (cell,) = cells("deep_sets")
    assert Estimate([], "this").cell(replace(cell, blocked=(Status.INTRACTABLE, "why"))) == 0


def test_what_was_measured_here_goes_before_the_table(costs: Path) -> None:
    costs.write_text(json.dumps({cost_key("smoke", "arithmetic_sum", "deep_sets"): 10.0}))
    (cell,) = cells("deep_sets")
    assert Estimate([], "this").cell(cell) == 20.0  # ten reference operations of two seconds
    assert Estimate([record("deep_sets", 6.0), record("deep_sets", 8.0, seed=1)], "this").cell(cell) == 7.0
    assert Estimate([record("deep_sets", 6.0, cpu="another")], "this").cell(cell) == 20.0
    assert Estimate([record("deep_sets", 6.0, status=Status.FAILED)], "this").cell(cell) == 20.0


def test_an_unknown_row_costs_as_its_neighbours(costs: Path) -> None:
    table = {
        cost_key("smoke", "arithmetic_sum", "raw_mlp"): 1.0,
        cost_key("smoke", "arithmetic_sum", "raw_lstm"): 2.0,
        cost_key("smoke", "arithmetic_sum", "fspool"): 50.0,
        cost_key("smoke", "arithmetic_sum", "(data)"): 9000.0,
        cost_key("smoke", "set_digits", "fspool"): 7.0,
        cost_key("quick", "arithmetic_sum", "deep_sets"): 800.0,
    }
    costs.write_text(json.dumps(table))
    estimate = Estimate([], "this")
    assert estimate.cell(cells("deep_sets")[0]) == 2 * 2.0  # the median of the task's three
    assert estimate.cell(cells("deep_sets", task="arithmetic_range")[0]) == 2 * (2.0 + 7.0) / 2  # of the preset's four


def test_without_any_knowledge_there_is_a_guess(costs: Path) -> None:
    estimate = Estimate([], "this")
    assert estimate.cell(cells("deep_sets")[0]) == UNKNOWN
    assert not estimate.knows("smoke", "cpu")


def test_costs_of_a_cpu_say_nothing_of_a_gpu(costs: Path) -> None:
    costs.write_text(json.dumps({cost_key("smoke", "arithmetic_sum", "deep_sets"): 1.0}))
    estimate = Estimate([], "this")
    assert [estimate.knows(*what) for what in (("smoke", "cpu"), ("smoke", "cuda"), ("quick", "cpu"))] == [
        True,
        False,
        False,
    ]
    assert Estimate([record("deep_sets", 1.0)], "this").knows("smoke", "cuda")


def test_the_table_is_kept_in_reference_operations(costs: Path) -> None:
    costs.write_text(json.dumps({"old": 1.0}))
    records = [
        record("deep_sets", 6.0),
        record("deep_sets", 10.0, seed=1),
        record("raw_mlp", 3.0, status=Status.FAILED),
    ]
    update_costs(records, {cost_key("smoke", "arithmetic_sum", "(data)"): 5.0})
    expected = {"old": 1.0, "smoke/arithmetic_sum/deep_sets": 4.0, "smoke/arithmetic_sum/(data)": 2.5}
    assert json.loads(costs.read_text()) == expected
    update_costs([], {cost_key("smoke", "arithmetic_sum", "(data)"): 1.0})  # another task had made the pictures
    assert json.loads(costs.read_text()) == expected


@pytest.mark.parametrize(("seconds", "words"), [(0.2, "0 s"), (89, "89 s"), (120, "2 min"), (9000, "2.5 h")])
def test_times_in_words(seconds: float, words: str) -> None:
    assert human(seconds) == words
