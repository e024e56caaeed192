"""Every cell of a plan falls to one shard, whichever machine asks, and no shard has more of the work."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from records_for_tests import made
from runs_for_tests import options

from setbench.bench.plan.cells import Cell
from setbench.bench.plan.shards import Shard, cells_of
from setbench.bench.records.store import Store
from setbench.bench.runner.command import main
from setbench.bench.runner.driver import Run
from setbench.bench.runner.listing import plan_text


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> list[Cell]:
    folder = tmp_path_factory.mktemp("whole")
    return Run(options(folder, tasks=None, models=["*"], decoders=["mlp", "dspn"])).cells


@pytest.mark.parametrize("count", [1, 3, 8, 500])
def test_shards_are_disjoint_and_complete(whole: list[Cell], count: int) -> None:
    parts = [cells_of(Shard(place, count), whole) for place in range(1, count + 1)]
    assert Counter(cell.identity for part in parts for cell in part) == Counter(cell.identity for cell in whole)
    sizes = [len(part) for part in parts]
    assert max(sizes) - min(sizes) <= 1


@pytest.mark.parametrize("count", [8, 67])
def test_every_shard_has_as_many_of_each_task_and_decoder(whole: list[Cell], count: int) -> None:
    """67 is the number of encoders: dealt in the plan's order, a shard would have one and the same encoder only."""
    kinds = {(cell.task, cell.decoder) for cell in whole}
    parts = [
        [cell for cell in cells_of(Shard(place, count), whole) if not (cell.constant or cell.blocked)]
        for place in range(1, count + 1)
    ]
    for kind in kinds:
        sizes = [sum((cell.task, cell.decoder) == kind for cell in part) for part in parts]
        assert max(sizes) - min(sizes) <= 1, kind
    for part in parts:
        assert max(Counter(cell.encoder for cell in part).values()) < len(part) / 3


def test_trials_are_not_compared_by_halves(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--shard", "1/2", "--tune", "--preset", "smoke", "--device", "cpu"]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_the_order_of_the_plan_has_no_say_in_the_partition(whole: list[Cell]) -> None:
    there = {cell.identity for cell in cells_of(Shard(2, 5), whole)}
    assert {cell.identity for cell in cells_of(Shard(2, 5), whole[::-1])} == there
    places = [whole.index(cell) for cell in cells_of(Shard(2, 5), whole)]
    assert places == sorted(places)


def test_what_is_recorded_has_no_say(tmp_path: Path) -> None:
    fresh = [Run(options(tmp_path, shard=f"{place}/3")) for place in (1, 2, 3)]
    store = Store(tmp_path / "results", pytest.fail)
    done = fresh[0].cells[0]
    store.write(made(id=done.identity, score=1.0))
    again = [Run(options(tmp_path, shard=f"{place}/3")) for place in (1, 2, 3)]
    assert [run.cells for run in again] == [run.cells for run in fresh]
    assert fresh[0].missing == [done, *again[0].missing]


def test_a_dry_run_shows_the_cells_of_the_shard(tmp_path: Path) -> None:
    texts = [plan_text(Run(options(tmp_path, shard=(place, 2)))) for place in (1, 2)]
    whole = Run(options(tmp_path))
    for cell in whole.cells:
        assert sum(f"  {cell}\n" in text for text in texts) == 1
    assert [text.splitlines()[0] for text in texts] == ["shard 1 of 2:", "shard 2 of 2:"]
    assert "shard" not in plan_text(whole)
