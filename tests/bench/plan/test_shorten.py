"""--shorten: the same plan with one in N of the steps, under a name of its own."""

import pytest

from setbench.bench.plan.cells import Request, asked_tasks, plan
from setbench.bench.plan.presets import load
from setbench.bench.runner.command import main
from setbench.bench.runner.options import options


def test_every_row_has_one_in_n_of_the_steps() -> None:
    whole, short = load("paper"), load("paper").shortened(9)
    row = next(name for name, own in whole.row.items() if "steps" in own)
    for name in ("a row", row):
        assert short.settings("arithmetic_sum", name)[0].steps == whole.settings("arithmetic_sum", name)[0].steps // 9
    assert whole.settings("arithmetic_sum", row)[0].steps != whole.settings("arithmetic_sum", "a row")[0].steps
    assert load("quick").shortened(10**9).settings("clevr_state", "a row")[0].steps == 1


def test_it_shortens_what_was_set() -> None:
    assert load("quick").with_settings({"steps": 90}).shortened(3).settings("arithmetic_sum", "a row")[0].steps == 30


def test_it_stands_in_no_table_with_the_whole() -> None:
    def cells(times: int) -> dict[str, str]:
        preset = load("quick").shortened(times)
        asked = Request(asked_tasks(["arithmetic_sum"]), ["fspool"], None, (0,), preset, "cpu", None)
        return {cell.row: cell.preset + cell.identity for cell in plan(asked) if not cell.constant}

    assert load("quick").shortened(3).name == "quick/3"
    assert load("quick").shortened(1).name == "quick"
    assert cells(1) != cells(3)
    assert options({"shorten": 3}).shorten == 3


def test_trials_have_a_length_of_their_own(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--tune", "--shorten", "3", "--tasks", "arithmetic_sum"]) == 2
    assert "--shorten: --tune" in capsys.readouterr().err
