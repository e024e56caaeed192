"""Models and tasks of a user's own that break: each ends as that cell's row, and nothing but a number is a number."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from setbench.bench.records.record import Record
from setbench.bench.records.store import Store

ROOT = Path(__file__).parents[3]
PLUGIN = ROOT / "tests" / "bench" / "broken_plugin.py"

Ran = tuple[subprocess.CompletedProcess[str], list[Record], str]
"""The command, the records, the leaderboard."""


def run(folder: Path, *words: str) -> Ran:
    command = [sys.executable, "run_all.py", "--preset", "smoke", "--plugin", str(PLUGIN), "--results", str(folder)]
    command += ["--device", "cpu", *words]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=280, check=False)
    assert "Traceback" not in done.stderr
    return done, Store(folder, pytest.fail).all(), (folder / "leaderboard.md").read_text(encoding="utf-8")


SPOILT = {"Breaks", "BreaksInfinite"}
OTHERS = {
    "ExitsBuilt": "the cell's own code called sys.exit(0)",
    "ExitsCalled": "the cell's own code called sys.exit(0)",
    "Interrupts": "KeyboardInterrupt, raised by the cell's own code",
    "UnspeakableBuilt": "Unspeakable: Unspeakable, whose message raised RuntimeError",
    "UnspeakableCalled": "Unspeakable: Unspeakable, whose message raised RuntimeError",
    "WrongWidth": "",
}


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    """Broken encoders on a number, a label, sets of sets (DSPN and a plain decoder), and sets of vectors."""
    tasks = ["arithmetic_sum", "set_digits_classes", "set_digits:points=12", "rotated_square"]
    words = ["--models", *SPOILT, *OTHERS, "deep_sets", "--decoders", "dspn:steps=2", "mlp", "--tasks", *tasks]
    return run(tmp_path_factory.mktemp("models"), *words)


def test_finite_in_training_and_not_in_evaluation_is_diverged_everywhere(models: Ran) -> None:
    _, records, _ = models
    spoilt = [record for record in records if record.encoder in SPOILT]
    rows = {record.task: {r.row for r in spoilt if r.task == record.task} for record in spoilt}
    assert {task: len(found) for task, found in rows.items()} == {
        "arithmetic_sum": 2,
        "set_digits_classes": 2,
        "set_digits": 4,
        "rotated_square": 2,
    }
    for record in spoilt:
        assert (record.status, record.measured) == ("diverged", None), record.cell
        assert record.reason == "the encoder's code is no finite number", record.cell


def test_what_ends_otherwise_is_failed_with_its_reason(models: Ran) -> None:
    done, records, _ = models
    assert done.returncode == 1
    broken = [record for record in records if record.encoder in OTHERS]
    assert len(broken) == len(OTHERS) * 5
    for record in broken:
        assert (record.status, record.measured) == ("failed", None), record.cell
        assert OTHERS[str(record.encoder)] in record.reason
        assert record.reason
        assert "\n" not in record.reason


def test_the_healthy_rows_stand_and_no_other_is_ranked(models: Ran) -> None:
    _, records, leaderboard = models
    healthy = [record for record in records if record.encoder not in {*SPOILT, *OTHERS}]
    assert {record.row for record in healthy} == {
        "best constant",
        "deep_sets",
        "deep_sets + dspn:steps=2",
        "deep_sets + mlp",
        "mlp decoder",
    }
    for record in healthy:
        assert record.status == "ok", record.reason
        assert record.measured is not None
        assert record.measured.score is not None
    for line in leaderboard.splitlines():
        if line.startswith("|") and any(f" {name}" in line for name in (*SPOILT, *OTHERS)):
            assert not re.match(r"\|\s*\**\d", line), line  # no rank


BROKEN_TASKS = {
    "NoHeadline": "the headline 'accurracy' is not among the metrics",
    "OmitsHeadline": "evaluate gives mae, rmse; declared are accuracy, mae, rmse",
    "MoreMetrics": "undeclared",
    "NoNumber": "evaluate gives mae = nan, which is no finite number",
    "Column": "targets",
    "ColumnInLoss": "examples are mixed",
    "SaysLabels": "targets",
    "SaysSets": "targets",
    "TooLarge": "inputs",
    "OtherFeatures": "inputs",
    "ExitsPreparing": "the cell's own code called sys.exit(0)",
    "UnspeakablePreparing": "Unspeakable, whose message raised RuntimeError",
    "ExitsEvaluating": "the cell's own code called sys.exit(0)",
    "UnspeakableLoss": "Unspeakable, whose message raised RuntimeError",
    "AsksWrong": "asked for its data, the task raised Unspeakable: Unspeakable, whose message raised RuntimeError",
}


def test_broken_tasks_are_rows_before_anything_is_trained(tmp_path: Path) -> None:
    words = ["--models", "deep_sets", "--decoders", "mlp", "--tasks", *BROKEN_TASKS, "arithmetic_sum"]
    done, records, _ = run(tmp_path, *words)
    assert done.returncode == 1
    healthy = {record.row: record.status for record in records if record.task == "arithmetic_sum"}
    assert healthy == {"best constant": "ok", "deep_sets": "ok"}
    broken = [record for record in records if record.task != "arithmetic_sum"]
    assert {record.task for record in broken} == set(BROKEN_TASKS)
    assert len(broken) == 2 * len(BROKEN_TASKS)
    for record in broken:
        assert (record.status, record.measured) == ("failed", None), record.cell
        assert BROKEN_TASKS[record.task] in record.reason, record.reason
        assert "\n" not in record.reason
        assert "train.py" not in record.traceback


ENTRY = """
from setbench.models.catalogue import register
from setbench.models.entry import Entry
register(Entry(**{{**dict(name="mine", target="fine:Class", kind="encoder", paradigm="permuting", section="Control",
                          paper="", summary="made up"), **{changes!r}}}))
"""
TASK = """
from setbench.specs import NumberSpec, SetSpec
from setbench.tasks.catalogue import register
from setbench.tasks.entry import TaskEntry
def key(*given): {key}
register(TaskEntry(**{{**dict(name="mine", target="fine:Class", asks="a", good="b", headline="c",
                              input=SetSpec(features=1, max_size=3), output=NumberSpec(), key=key), **{changes!r}}}))
"""
ODD = "raise type('Odd', (Exception,), {'__str__': lambda self: 1 / 0})"
REFUSED = {
    "kind": (ENTRY.format(changes={"kind": "encodr"}), "kind='encodr' is none that there is; did you mean 'encoder'?"),
    "paradigm": (ENTRY.format(changes={"paradigm": "permutin"}), "did you mean 'permuting'?"),
    "output": (TASK.format(key="return ''", changes={"output": "number"}), "output is"),
    "picture": (TASK.format(key="return ''", changes={"picture": "point"}), "did you mean 'points'?"),
    "key raises": (TASK.format(key=ODD, changes={}), "its key raised Odd: Odd, whose message raised ZeroDivisionError"),
    "key leaves": (TASK.format(key="raise SystemExit(0)", changes={}), "its key raised SystemExit"),
    "key is no text": (TASK.format(key="return 3", changes={}), "its key is no text but 3"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_a_wrong_entry_is_one_line_before_the_run(what: str, tmp_path: Path) -> None:
    text, says = REFUSED[what]
    plugin = tmp_path / "wrong_entry.py"
    plugin.write_text(text)
    words = ["--plugin", str(plugin), "--tasks", "mine", "--models", "deep_sets", "--results", str(tmp_path / "r")]
    done = subprocess.run(
        [sys.executable, "run_all.py", *words], cwd=ROOT, capture_output=True, text=True, timeout=120, check=False
    )
    assert (done.returncode, done.stdout) == (2, ""), done.stderr
    assert done.stderr.count("\n") == 1
    assert says in done.stderr
    assert not (tmp_path / "r").exists()
