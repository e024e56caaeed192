"""A row of edited code is known as one: marked in the plan and in every report, run again or replayed when asked."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from setbench.bench.records.record import Record
from setbench.bench.records.store import Store

ROOT = Path(__file__).parents[3]
MODEL = """
from torch import nn
from setbench.models.catalogue import register
from setbench.models.entry import Entry
from setbench.models.interfaces import SetEncoder


class Edited(SetEncoder):
    def __init__(self, spec, latent, width):
        super().__init__(spec, latent)
        self.net = nn.Linear(spec.features, latent)

    def forward(self, elements, mask):
        code = (self.net(elements) * mask[..., None]).sum(dim=1)
        return code * 1.0


register(Entry("edited", "edited:Edited", "encoder", "permuting", "", "", "made up for a test"))
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "edited.py"
    path.write_text(MODEL)
    return path


def run(file: Path, *more: str) -> str:
    """What a run of the model prints, on both streams; it must end well."""
    words = ["--plugin", str(file), "--preset", "smoke", "--tasks", "arithmetic_sum", "--models", "edited", "raw_mlp"]
    done = subprocess.run(
        [sys.executable, "run_all.py", *words, "--results", str(file.parent / "results"), *more],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


def edited(file: Path) -> Record:
    (found,) = [record for record in Store(file.parent / "results", pytest.fail).all() if record.row == "edited"]
    return found


def board(file: Path) -> str:
    text = (file.parent / "results" / "leaderboard.md").read_text()
    return next(line for line in text.split("More of each row: ")[1].splitlines() if "edited" in line)


def test_an_edit_that_changes_numbers(file: Path) -> None:
    run(file)
    before = edited(file)
    assert "of other code" not in board(file)
    file.write_text(MODEL.replace("1.0", "2.0"))
    assert "edited · seed 0: its record was made by other code" in run(file, "--dry-run")
    said = run(file)
    assert edited(file) == before  # the old number stays, and says so
    assert "of other code ◊" in board(file)
    assert "0 cells" in said
    said = run(file, "--replay")
    assert "edited · seed 0: not the same (its losses differ); --rerun runs it" in said
    assert edited(file) == before
    run(file, "--rerun")
    after = edited(file)
    assert after.code != before.code
    assert after.measured is not None
    assert before.measured is not None
    assert after.measured.curve.loss != before.measured.curve.loss
    assert "of other code" not in board(file)


def test_an_edit_that_changes_no_number_is_replayed(file: Path) -> None:
    run(file)
    before = edited(file)
    file.write_text(MODEL.replace("code = ", "vector = ").replace("code * 1.0", "vector * 1.0"))
    said = run(file, "--replay")
    assert "1 of 1 agree, bit for bit" in said
    after = edited(file)
    assert after.replayed
    assert after.code != before.code
    assert after.measured == before.measured
    assert "replayed" in board(file)
    assert "of other code" not in board(file)


def test_comments_and_docstrings_change_nothing(file: Path) -> None:
    run(file)
    file.write_text('"""Mine."""\n' + MODEL.replace("return code * 1.0", "return code * 1.0  # for now"))
    assert "other code" not in run(file, "--dry-run").replace("of other code", "")
    assert "of other code" not in board(file)
