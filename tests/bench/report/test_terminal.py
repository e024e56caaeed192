"""What a run says at its end fits the terminal, of any width and encoding, and agrees with the leaderboard."""

import io
import re
import subprocess
import sys
from pathlib import Path

import pytest

from setbench.bench.records.record import Record, Status
from setbench.bench.report.tables import tables
from setbench.bench.report.terminal import FEW_ROWS, ROWS, summary
from setbench.console import Column, fitted

WIDTHS = (40, 60, 80, 120, 200)


@pytest.mark.parametrize("wide", WIDTHS)
def test_no_line_is_wider(fleet: list[Record], wide: int) -> None:
    for ran in ((), {record.id for record in fleet}, {record.id for record in fleet if record.task == "clevr_state"}):
        assert max(map(len, summary(fleet, ran, wide).splitlines())) <= wide


@pytest.mark.parametrize("wide", [60, 120])
def test_the_ranking_of_each_task_that_was_run(fleet: list[Record], wide: int) -> None:
    """Ranks and scores worked out from the records: means over three seeds, more is better."""
    task = "clevr_state"
    ran = {record.id for record in fleet if record.task == task and record.row.startswith(("fspool", "deep_sets"))}
    text = summary(fleet, ran, wide)
    assert "rotated_square" not in text
    means: dict[str, float] = {}
    for record in fleet:
        if record.task == task and record.measured is not None and not record.constant:
            means[record.row] = means.get(record.row, 0.0) + (record.measured.score or 0.0) / 3
    ranked = sorted(means, key=lambda row: -means[row])
    for row in ("fspool + dspn", "deep_sets + dspn"):
        (line,) = (line for line in text.splitlines() if f" {row} " in line)
        rank, score = re.search(rf"^ *(\d+)  {re.escape(row)} +([\d.]+) ±", line).groups()  # type: ignore[union-attr]
        assert int(rank) == ranked.index(row) + 1
        assert float(score) == pytest.approx(means[row], rel=0.006)
    assert "janossy" not in text.partition("cells: ")[0]
    assert "best constant" in text
    assert f"and {len(means) - 2} other rows of the table, in leaderboard.md" in " ".join(text.split())


def test_many_rows_and_many_tables_are_cut_and_counted(fleet: list[Record]) -> None:
    one = {record.id for record in fleet if record.task == "rotated_square"}
    rows = len({record.row for record in fleet if record.task == "rotated_square" and not record.constant})
    assert f"and {rows - ROWS} more of this run" in summary(fleet, one, 120)
    every = summary(fleet, {record.id for record in fleet}, 120)
    assert f"and {rows - FEW_ROWS} more of this run" in every
    assert every.count("best constant") == len(tables(fleet))


def test_a_folded_name_is_whole_and_a_score_is_never_cut() -> None:
    name = "set_transformer:variant=paper + dspn:steps=5"
    columns = Column("model", folds=True), Column("score", right=True), Column("seldom", least=100)
    lines = fitted(columns, [[name, "12.345 ± 6.789", "x"]], 40).splitlines()
    assert any(line.endswith("12.345 ± 6.789") for line in lines)
    folded = "".join(line.removesuffix("12.345 ± 6.789") for line in lines[2:])
    assert folded.split() == name.split() or folded.replace(" ", "") == name.replace(" ", "")
    assert "seldom" not in lines[0]
    assert "seldom" in fitted(columns, [[name, "1", "x"]], 100)


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8", "cp1252"])
def test_a_pipe_of_any_encoding(encoding: str, fleet: list[Record], monkeypatch: pytest.MonkeyPatch) -> None:
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding=encoding, errors="spell_out")
    monkeypatch.setattr(sys, "stdout", stream)
    print(summary(fleet, {record.id for record in fleet}, 80), flush=True)
    text = raw.getvalue().decode(encoding)
    assert "?" not in text
    assert max(map(len, text.splitlines())) <= 80  # though ± is two characters where it is spelt out
    assert ("+- the 95 %" in text) == (encoding == "ascii")
    assert ("± the 95 %" in text) == (encoding != "ascii")


@pytest.mark.parametrize("wide", [60, 80, 120])
def test_the_list_fits(wide: int) -> None:
    root = Path(__file__).parents[3]
    for words in (["--list"], ["--list", "janossy", "settings"], ["--dry-run", "--preset", "smoke"], ["--help"]):
        done = subprocess.run(
            [sys.executable, "run_all.py", *words],
            cwd=root,
            env={"COLUMNS": str(wide), "PATH": "/usr/bin:/bin", "HOME": "/nowhere", "PYTHONIOENCODING": "ascii"},
            capture_output=True,
            text=True,
            check=True,
        )
        assert max(map(len, done.stdout.splitlines())) <= wide
        assert done.stdout.isascii()


LONG = "set_transformer:variant=paper + dspn:steps=5"


def test_names_stay_whole_where_a_lesser_column_can_go() -> None:
    """42 + 2 + 14 characters of name and score; 11 more for the lesser column."""
    columns = Column("model", folds=True, whole=True), Column("score", right=True), Column("train (s)", 50, right=True)
    rows = [[LONG, "12.345 ± 6.789", "1.0"], ["fspool", "1", "2.0"]]
    for wide, whole, train in ((71, True, True), (70, True, False), (60, True, False), (59, False, False)):
        text = fitted(columns, rows, wide)
        assert (LONG in text) == whole, wide
        assert ("train (s)" in text) == train, wide
        assert "12.345 ± 6.789" in text
        assert max(map(len, text.splitlines())) <= wide


def test_a_name_is_broken_between_its_parts() -> None:
    columns = Column("model", folds=True), Column("score", right=True)
    lines = fitted(columns, [[LONG, "12.3 ± 4.5"]], 34).splitlines()[2:]
    parts = [line.removesuffix("12.3 ± 4.5").strip() for line in lines]
    assert parts == ["set_transformer:", "variant=paper +", "dspn:steps=5"]


def test_what_goes_to_a_pipe_can_be_searched(fleet: list[Record], monkeypatch: pytest.MonkeyPatch) -> None:
    failed = fleet[0].model_copy(update={"status": Status.TIMED_OUT, "measured": None, "reason": "x" * 90, "id": "f"})
    whole = f"  timed_out: {failed.task} · {failed.row} · seed {failed.seed}: {'x' * 90}"
    assert len(whole) > 100
    monkeypatch.delenv("COLUMNS", raising=False)
    assert whole in summary([*fleet, failed]).splitlines()
    monkeypatch.setenv("COLUMNS", "60")
    assert max(map(len, summary([*fleet, failed]).splitlines())) <= 60


def test_an_interval_is_explained_where_there_is_one(fleet: list[Record]) -> None:
    said = "± the 95 % interval of the mean over seeds"
    assert said in summary(fleet, wide=120)
    assert said not in summary([record for record in fleet if record.seed == 0], wide=120)
