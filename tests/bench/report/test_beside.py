"""The same rows in two folders: matched by name, Kendall's tau counted by hand, opposite orders only beyond doubt."""

from itertools import combinations
from pathlib import Path
from types import SimpleNamespace

import pytest

from setbench.bench.records.record import Record
from setbench.bench.records.store import Store
from setbench.bench.report.beside import common, main, pairs, turned
from setbench.bench.report.tables import tables

TASK = "set_digits_classes"
FIRST = {"fspool": 80.0, "deep_sets": 60.0, "janossy:k=2": 40.0, "raw_mlp": 20.0, "pi_sgd": 10.0}
SECOND = {"fspool": 50.0, "deep_sets": 70.0, "janossy:k=2": 30.0, "raw_mlp": 29.9, "set2set": 90.0}


def made(make: SimpleNamespace, scores: dict[str, float], lacking: str = "") -> list[Record]:
    wobble = (-0.2, 0.0, 0.2)
    return [
        make.record(
            TASK, row, id=f"{abs(hash((row, seed, score))):016x}"[:16], encoder=row, seed=seed, score=score + by
        )
        for row, score in scores.items()
        for seed, by in enumerate(wobble)
        if not (row == lacking and seed == 1)
    ]


def test_rows_of_both_that_lack_no_seed(make: SimpleNamespace) -> None:
    (pair,) = pairs(tables(made(make, FIRST)), tables(made(make, SECOND, lacking="raw_mlp")))
    assert [one.label for one, _ in common(pair)] == ["fspool", "deep_sets", "janossy:k=2"]
    assert all(one.label == other.label for one, other in common(pair))


def test_other_tasks_and_metrics_make_no_pair(make: SimpleNamespace) -> None:
    other = make.record("rotated_square", "fspool", encoder="fspool")
    assert pairs(tables(made(make, FIRST)), tables([other])) == []


def test_turned_beyond_doubt_alone(make: SimpleNamespace) -> None:
    (pair,) = pairs(tables(made(make, FIRST)), tables(made(make, SECOND)))
    assert turned(pair) == [("fspool", "deep_sets")]
    doubtful = SECOND | {"janossy:k=2": 29.8}  # behind raw_mlp now, by less than the seeds waver
    (pair,) = pairs(tables(made(make, FIRST)), tables(made(make, doubtful)))
    assert turned(pair) == [("fspool", "deep_sets")]


def test_the_page(make: SimpleNamespace, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name, scores in (("a", FIRST), ("b", SECOND)):
        store = Store(tmp_path / name, print)
        for record in made(make, scores):
            store.write(record)
    names = ["--names", "rendered", "real"]
    assert main([str(tmp_path / "a"), str(tmp_path / "b"), *names, "--out", str(tmp_path / "out")]) == 0
    text = (tmp_path / "out" / "README.md").read_text().replace("\u00a0", " ")
    both = [row for row in FIRST if row in SECOND]
    agree = [(FIRST[x] - FIRST[y]) * (SECOND[x] - SECOND[y]) > 0 for x, y in combinations(both, 2)]
    tau = (sum(agree) - (len(agree) - sum(agree))) / len(agree)
    assert f"Kendall's tau of the two orders: {tau:.2f} (4 rows)" in text
    assert "fspool before deep_sets in the first alone" in text
    line = next(line for line in text.splitlines() if line.startswith("| deep_sets "))
    assert [cell.strip() for cell in line.split("|")][3:6] == ["60.0 ± 0.50", "70.0 ± 0.50", "2 and 2"]  # t of 3: 4.30
    assert "pi_sgd" not in text
    assert main([str(tmp_path / "a"), str(tmp_path / "none"), *names, "--out", str(tmp_path / "no")]) == 2
    assert "no task in common" in capsys.readouterr().err
