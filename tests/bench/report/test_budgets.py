"""The best row within so many seconds: chosen on validation among whole trainings, shown on the test split."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from setbench.bench.records.record import Record
from setbench.bench.records.store import Store
from setbench.bench.report.budgets import Lengths, lengths, main
from setbench.bench.report.tables import tables

TASK = "set_digits_classes"  # more is better
OTHER = "rotated_square"  # less is better


def runs(
    make: SimpleNamespace, task: str, row: str, times: int, seconds: float, validation: float, test: float
) -> list[Record]:
    curve = {"step": [0, 900 // times], "loss": [1.0, 0.5], "validation_score": [None, validation]}
    found = []
    for seed in range(2):
        one = make.record(
            task,
            row,
            id=f"{hash((task, row, times, seed)) % 16**16:016x}",
            encoder=row,
            seed=seed,
            preset="quick" if times == 1 else f"quick/{times}",
            score=test + 0.1 * seed,
            curve=curve,
            time={"train": seconds},
            settings={"steps": 900 // times, "batch": 32},
        )
        found.append(one)
    return found


@pytest.fixture
def records(make: SimpleNamespace) -> list[Record]:
    plan = [
        # row, shortened, seconds, validation, test
        ("fspool", 1, 9.0, 80.0, 10.0),
        ("fspool", 9, 1.0, 50.0, 60.0),
        ("deep_sets", 1, 2.5, 70.0, 71.0),
        ("deep_sets", 9, 0.3, 40.0, 99.0),  # best on the test split, which has no say
        ("raw_mlp", 1, 2.0, 70.0, 20.0),  # as good on validation, in less time
    ]
    return [
        record
        for task, sign in ((TASK, 1), (OTHER, -1))
        for row, times, seconds, validation, test in plan
        for record in runs(make, task, row, times, seconds, sign * validation, test)
    ]


def of(records: list[Record], task: str) -> Lengths:
    (found,) = (one for one in lengths(tables(records)) if one.task == task)
    return found


@pytest.mark.parametrize("task", [TASK, OTHER])
def test_within_each_limit_the_best_on_validation(records: list[Record], task: str) -> None:
    found = of(records, task)
    assert [table.key.preset for table in found.tables] == ["quick", "quick/9"]
    best = {limit: found.best(limit) for limit in (0.1, 0.3, 1, 2.4, 3, 8.9, 9, 1000)}
    assert {
        limit: one and (one.result.label, one.table.key.preset, one.seconds) for limit, one in best.items()
    } == {
        0.1: None,
        0.3: ("deep_sets", "quick/9", 0.3),
        1: ("fspool", "quick/9", 1.0),
        2.4: ("raw_mlp", "quick", 2.0),
        3: ("raw_mlp", "quick", 2.0),
        8.9: ("raw_mlp", "quick", 2.0),
        9: ("fspool", "quick", 9.0),
        1000: ("fspool", "quick", 9.0),
    }  # fmt: skip


def test_a_row_that_lacks_a_seed_is_no_best(records: list[Record]) -> None:
    lost = [record for record in records if not (record.row == "fspool" and record.seed == 1)]
    best = of(lost, TASK).best(1000)
    assert best is not None
    assert best.result.label == "raw_mlp"


def test_a_row_without_a_validation_score_is_not_chosen(records: list[Record], make: SimpleNamespace) -> None:
    unknown = make.record(TASK, "pi_sgd", encoder="pi_sgd", score=100.0, time={"train": 0.1}, settings={"steps": 900})
    best = of([*records, unknown], TASK).best(1000)
    assert best is not None
    assert best.result.label == "fspool"


def test_the_page(records: list[Record], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    whole, short = Store(tmp_path / "whole", print), Store(tmp_path / "short", print)
    for record in records:
        (whole if record.preset == "quick" else short).write(record)
    assert main([str(tmp_path / "whole"), str(tmp_path / "short"), "--out", str(tmp_path / "out")]) == 0
    text = (tmp_path / "out" / "README.md").read_text()
    row = next(line for line in text.splitlines() if line.startswith(f"| {TASK} "))
    cells = [cell.strip() for cell in row.strip("|").split("|")]
    assert cells[2].startswith("fspool: 60.0 ± ")  # (60.0 + 60.1) / 2, and the t interval of two seeds
    assert cells[2].endswith("(1.0 s)")
    assert cells[3].startswith("raw_mlp: 20.1 ± ")
    for task in (TASK, OTHER):
        picture = (tmp_path / "out" / "figures" / f"{task}_seconds.png").read_bytes()
        assert picture.startswith(b"\x89PNG")
        assert f"figures/{task}_seconds.png" in text
    assert main([str(tmp_path / "whole"), "--out", str(tmp_path / "none")]) == 2
    assert "two lengths" in capsys.readouterr().err
    assert not (tmp_path / "none").exists()
