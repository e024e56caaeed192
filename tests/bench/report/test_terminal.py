"""What a run says at its end fits the terminal, of any width and encoding, and agrees with the leaderboard."""

import io
import re
import subprocess
import sys
from pathlib import Path

import pytest

from setbench.bench.records.record import Record
from setbench.bench.report.console import Column, fitted
from setbench.bench.report.tables import tables
from setbench.bench.report.terminal import FEW_ROWS, ROWS, summary

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
def test_a_pipe_of_any_encoding(encoding: str, fleet: list[Record]) -> None:
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding=encoding, errors="spell_out")
    print(summary(fleet, {record.id for record in fleet}, 80), file=stream, flush=True)
    text = raw.getvalue().decode(encoding)
    assert "?" not in text
    assert max(map(len, text.splitlines())) <= 90  # ± is two characters where it is spelt out
    assert ("+-" in text) == (encoding == "ascii")


@pytest.mark.parametrize("wide", [60, 80, 120])
def test_the_list_fits(wide: int) -> None:
    root = Path(__file__).parents[3]
    for words in (["--list"], ["--list", "janossy", "settings"], ["--dry-run", "--preset", "smoke"]):
        done = subprocess.run(
            [sys.executable, "run_all.py", *words],
            cwd=root,
            env={"COLUMNS": str(wide), "PATH": "/usr/bin:/bin", "HOME": "/nowhere", "PYTHONIOENCODING": "ascii"},
            capture_output=True,
            text=True,
            check=True,
        )
        if words[0] == "--list":
            assert max(map(len, done.stdout.splitlines())) <= wide
        assert done.stdout.isascii()
