"""The short form of the soak: two dozen cells leave nothing behind, and the trial itself can fail."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from setbench.bench.maintenance.soak import Found, Shown, growth, unlike, write

ROOT = Path(__file__).parents[3]

SHORT = """
import sys
from setbench.bench.maintenance.soak import cells
found = cells({count}, lambda line: print(line, file=sys.stderr), warm={warm}, most={most})
print(found.text)
sys.exit(1 if found.wrong else 0)
"""
LEAKING = """
import os, subprocess, threading
from setbench.bench.records.store import Store
write = Store.write
kept = []
def leaking(self, record):
    write(self, record)
    {leak}
Store.write = leaking
"""


def soak(text: str, **values: int) -> subprocess.CompletedProcess[str]:
    code = text + SHORT.format(**{"count": 24, "warm": 8, "most": 300_000, **values})
    return subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=280, check=False
    )


def test_cells_leave_nothing_behind() -> None:
    """Files, processes, threads and temporary files to the last one; memory by its slope."""
    done = soak("")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "All of it held." in done.stdout


LEAKS = {
    "open files of the driver": "kept.append(open(os.devnull))",
    "processes": "kept.append(subprocess.Popen(['sleep', '60']))",
    "threads of the driver": "threading.Thread(target=threading.Event().wait, daemon=True).start()",
    "memory grows": "kept.append(os.urandom(2_000_000))",
    "temporary files": "open(os.path.join(os.environ['TMPDIR'], record.id), 'w').close()",
}


def test_the_trial_sees_every_kind_of_leak() -> None:
    leaks = "; ".join(LEAKS.values())
    done = soak(LEAKING.format(leak=leaks), count=14, warm=4)
    assert done.returncode == 1
    for words in LEAKS:
        assert f"- {words}" in done.stdout, done.stdout


def test_growth_is_a_slope() -> None:
    assert growth([5, 5, 5]) == 0
    assert growth([10, 12, 14, 16]) == pytest.approx(2)
    assert growth([1]) == growth([]) == 0


def test_every_difference_is_named() -> None:
    one = Shown({"a": "1", "b": "2"}, {"leaderboard.md": "x", "leaderboard.csv": "y"}, True)
    assert unlike(one, one) == []
    other = Shown({"a": "1", "b": "3"}, {"leaderboard.md": "z", "leaderboard.csv": "y"}, False)
    assert unlike(other, one) == [
        "record b differs",
        "leaderboard.md differs",
        "leaderboard.csv is not that of its records",
    ]
    assert "1 records, not 2, or others" in unlike(Shown({"a": "1"}, one.leaderboard, True), one)


def test_figures_have_a_section_each(tmp_path: Path) -> None:
    path = tmp_path / "reliability.md"
    write(Found("50 kills of the driver", {"kills": "50"}, []), path)
    write(Found("500 cells in one run", {"cells": "500"}, ["one is not"]), path)
    write(Found("3 kills of the driver", {"kills": "3"}, []), path)
    text = path.read_text("utf-8")
    assert text.startswith("# Reliability\n")
    assert text.count("\n## ") == 2
    assert "| kills | 3 |" in text
    assert "| cells | 500 |" in text
    assert "- one is not" in text
    assert text.index("3 kills") < text.index("500 cells")
