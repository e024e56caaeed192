"""The estimate: a schedule worked out by hand, and what was measured before what is guessed."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from records_for_tests import made

from setbench.bench.maintenance import costs as costs_module
from setbench.bench.maintenance.costs import update_costs
from setbench.bench.plan import estimate as estimate_module
from setbench.bench.plan.cells import Cell, Request, asked_tasks, plan
from setbench.bench.plan.estimate import START_SECONDS, Estimate, cost_key, expected, human, step_key
from setbench.bench.plan.presets import load
from setbench.bench.records.record import Machine, Record, Status
from setbench.tasks.catalogue import TASKS


@pytest.fixture
def costs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty table of costs, on a machine whose reference operation takes two seconds."""
    path = tmp_path / "costs.json"
    monkeypatch.setattr(estimate_module, "STEPS", tmp_path / "steps.json")
    for module in (costs_module, estimate_module):
        monkeypatch.setattr(module, "COSTS", path)
        monkeypatch.setattr(module, "cpu_unit_seconds", lambda: 2.0)
    return path


def cells(*names: str, task: str = "arithmetic_sum") -> list[Cell]:
    return plan(Request(asked_tasks([task]), names, None, (0,), load("smoke"), "cpu", None))[1:]


def record(
    row: str,
    seconds: float,
    cpu: str = "this",
    status: Status = Status.OK,
    seed: int = 0,
    steps: int | None = None,
    **more: Any,
) -> Record:
    score = 1.0 if status is Status.OK else None
    machine = Machine(cpu=cpu, cores=1, memory_gb=1, platform="")
    settings = {"steps": steps or load("smoke").settings("arithmetic_sum", row)[0].steps}
    return made(
        score=score, row=row, seconds=seconds, status=status, seed=seed, machine=machine, settings=settings, **more
    )


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


def test_without_any_knowledge_nothing_is_said(costs: Path) -> None:
    estimate = Estimate([], "this")
    due = cells("deep_sets", "raw_mlp")
    assert estimate.cell(due[0]) is None
    assert estimate.unknown(due) == 2
    assert estimate.total(due, [("smoke", "arithmetic_sum")], 1) == START_SECONDS
    assert estimate.data("smoke", "arithmetic_sum") is None


def test_data_that_cost_nothing_elsewhere_cost_nothing_here(costs: Path) -> None:
    table = {("quick", "arithmetic_sum"): 0.1, ("sweep", "arithmetic_sum"): 0.2, ("quick", "clevr_box"): 0.6}
    costs.write_text(json.dumps({cost_key(*key, "(data)"): cost for key, cost in table.items()}))
    estimate = Estimate([], "this")
    found = [
        estimate.data(*key) for key in (("paper", "arithmetic_sum"), ("paper", "clevr_box"), ("quick", "clevr_box"))
    ]
    assert found == [0.4, None, 1.2]


def test_costs_of_a_cpu_say_nothing_of_a_gpu_nor_those_of_other_steps(costs: Path) -> None:
    costs.write_text(json.dumps({cost_key("smoke", "arithmetic_sum", "deep_sets"): 1.0}))
    (cell,) = cells("deep_sets")
    gpu = replace(cell, device="cuda")
    assert Estimate([], "this").cell(gpu) is None
    assert Estimate([record("deep_sets", 3.0)], "this").cell(gpu) is None
    assert Estimate([record("deep_sets", 3.0, device="cuda")], "this").cell(gpu) == 3.0
    assert Estimate([record("deep_sets", 3.0, steps=1)], "this").cell(cell) == 2.0


def test_a_shipped_cost_is_of_the_presets_steps(costs: Path) -> None:
    """Ten reference operations of two seconds for four steps, half as many for two; what was measured as it is."""
    costs.write_text(json.dumps({cost_key("smoke", "arithmetic_sum", "deep_sets"): 10.0}))
    (cell,) = cells("deep_sets")
    shorter = replace(cell, settings=replace(cell.settings, steps=2))
    assert cell.settings.steps == 4
    assert Estimate([], "this").cell(shorter) == 10.0
    assert Estimate([record("deep_sets", 3.0, steps=2)], "this").cell(shorter) == 3.0


def test_how_long_desk_takes_is_known_before_it_has_run() -> None:
    """Every row has a cost or a timed step; else: python -m setbench.bench.maintenance.steps desk."""
    asked = Request(asked_tasks(list(TASKS)), None, None, (0,), load("desk"), "cpu", None)
    estimate = Estimate([], "this")
    rows = [cell for cell in plan(asked) if cost_key("desk", cell.task, cell.row) not in estimate.costs]
    assert [str(cell) for cell in rows if not cell.blocked and estimate.step(cell) is None] == []


def test_a_timed_step_times_the_steps(costs: Path) -> None:
    """Half a reference operation of two seconds a step, for this shape alone, on one thread of a CPU."""
    (cell,) = cells("deep_sets")
    (costs.parent / "steps.json").write_text(json.dumps({step_key(cell): 0.5}))
    costs.write_text(json.dumps({cost_key("smoke", "arithmetic_sum", "raw_mlp"): 7.0}))
    estimate = Estimate([], "this")
    assert estimate.cell(cell) == cell.settings.steps
    assert estimate.extrapolated(cell)
    longer = replace(cell, settings=replace(cell.settings, steps=1_000_000))
    assert estimate.cell(longer) == 1_000_000
    for other in (
        replace(cell, threads=2),
        replace(cell, settings=replace(cell.settings, width=99)),
        replace(cell, settings=replace(cell.settings, batch=99)),
    ):
        assert estimate.cell(other) == 14.0  # as its neighbour
        assert not estimate.extrapolated(other)
    own = Estimate([record("deep_sets", 3.0)], "this")
    assert own.cell(cell) == 3.0
    assert not own.extrapolated(cell)


@pytest.mark.parametrize(
    ("unknown", "words"),
    [
        (0, "about 2 min"),
        (1, "at least 2 min: how long 1 of them take is unknown"),
        (3, "how long is unknown"),
    ],
)
def test_what_is_known_in_words(unknown: int, words: str) -> None:
    assert expected(120.0, unknown, 3) == words


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


@pytest.mark.parametrize(
    ("seconds", "words"), [(0.2, "0 s"), (89, "89 s"), (120, "2 min"), (9000, "2.5 h"), (1_036_800, "12 days")]
)
def test_times_in_words(seconds: float, words: str) -> None:
    assert human(seconds) == words
