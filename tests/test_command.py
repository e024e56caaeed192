"""The command line: what answers at once, and what a slip of the fingers gets."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from setbench.bench.plan.presets import PRESETS
from setbench.bench.runner import command
from setbench.models.catalogue import CATALOGUE
from setbench.tasks.catalogue import TASKS

ROOT = Path(__file__).parents[1]
BUSY = ("torch", "matplotlib", "pandas", "seaborn", "scipy")


def typed(*words: str, code: str | None = None) -> subprocess.CompletedProcess[str]:
    what = ["-c", code, *words] if code else ["run_all.py", *words]
    return subprocess.run([sys.executable, *what], cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)


@pytest.fixture
def run_all(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """The command as a module; it sets a handler for SIGTERM, which is put back."""
    before = signal.getsignal(signal.SIGTERM)
    yield command
    signal.signal(signal.SIGTERM, before)


@pytest.mark.parametrize(
    "words",
    [["--help"], ["--list"], ["--preset", "smoke", "--dry-run"], ["--preset", "paper", "--dry-run", "--seeds", "0-5"]],
    ids=" ".join,
)
def test_these_answer_without_the_slow_imports(words: list[str], tmp_path: Path) -> None:
    code = f"""
import sys
sys.path.insert(0, {str(ROOT)!r})
from setbench.bench.runner.command import main
try:
    code = main(sys.argv[1:] + ["--results", {str(tmp_path)!r}])
except SystemExit as leaving:
    code = leaving.code
print("imported:", [name for name in {BUSY!r} if name in sys.modules], "code:", code)
"""
    done = typed(*words, code=code)
    assert done.stdout.splitlines()[-1] == "imported: [] code: 0", done.stderr


def test_help_names_every_option_and_preset() -> None:
    text = typed("--help").stdout
    for option in ("tasks", "models", "decoders", "seeds", "preset", "device", "results", "data", "clevr", "list"):
        assert f"--{option}" in text
    for option in ("dry-run", "retry-failed", "fail-fast", "time-limit", "memory-limit", "jobs", "report-only", "tune"):
        assert f"--{option}" in text
    for preset in PRESETS:
        assert f"{preset}:" in " ".join(text.split())


def test_the_list_names_everything() -> None:
    text = typed("--list").stdout
    for name in [*TASKS, *CATALOGUE]:
        assert name in text


def test_a_reader_who_has_seen_enough_gets_no_traceback() -> None:
    done = subprocess.run(
        f"{sys.executable} run_all.py --list | head -1",
        cwd=ROOT,
        shell=True,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.startswith("Tasks")
    assert done.stderr == ""


def test_the_plan_says_how_many_and_why_not(tmp_path: Path) -> None:
    words = ["--preset", "quick", "--tasks", "arithmetic_variance", "--models", "janossy:k=N", "deep_sets"]
    done = typed(*words, "--dry-run", "--seeds", "0-2", "--results", str(tmp_path / "none"))
    assert done.returncode == 0
    assert "arithmetic_variance · janossy:k=N: intractable" in done.stdout
    assert "3,628,800" in done.stdout
    assert "4 cells to run" in done.stdout  # three seeds of one model, and the floor
    assert not (tmp_path / "none").exists()


SLIPS = {
    "--tasks clevr_stat": "no task is called 'clevr_stat'; did you mean 'clevr_state'?",
    "--models deepsets": "did you mean 'deep_sets'?",
    "--models xyzzy": "known: deep_sets",
    "--models janossy:kk=2": "janossy has no option 'kk'; did you mean 'k'?",
    "--models janossy:k": "option 'k' needs a value, as in janossy:k=2",
    "--models janossy:k=two": "option 'k' takes a whole number or N, not 'two'",
    "--decoders dspnn": "did you mean 'dspn'?",
    "--decoders dspn:loss=lest": "did you mean 'last'?",
    "--decoders mlp:steps=3": "mlp has no option 'steps'",
    "--preset quik": "did you mean quick?",
    "--device gpu": "'gpu' (choose from 'auto', 'cpu', 'cuda') (see",
    "--seeds 5-2": "'5-2' is no list of seeds; write 0, 0-5 or 0,3,7-9",
    "--seeds one": "'one' is no list of seeds",
    "--seeds -1": "'-1' is no list of seeds",
    "--time-limit 0": "'0' should be a number above 0",
    "--time-limit nan": "'nan' should be a number above 0",
    "--memory-limit -3": "'-3' should be a number above 0",
    "--jobs 1.5": "'1.5' should be a whole number above 0",
    "--jobs many": "'many' should be a whole number above 0",
    "--task clevr_state": "unrecognized arguments: --task clevr_state; did you mean --tasks?",
    "--data nowhere": "--data nowhere: no such folder",
}


@pytest.mark.parametrize("slip", SLIPS)
def test_a_slip_is_one_line(slip: str, run_all: ModuleType, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    try:
        code = run_all.main([*slip.split(), "--dry-run", "--results", str(tmp_path)])
    except SystemExit as leaving:
        code = leaving.code
    out, err = capsys.readouterr()
    assert code == 2
    assert out == ""
    assert err.count("\n") == 1
    assert err.startswith("run_all.py: ")
    assert SLIPS[slip] in err


def test_from_the_shell_a_slip_has_code_2() -> None:
    done = typed("--tasks", "clevr_stat")
    assert done.returncode == 2
    assert done.stderr == "run_all.py: no task is called 'clevr_stat'; did you mean 'clevr_state'?\n"


@pytest.mark.parametrize(
    ("text", "numbers"),
    [("0", (0,)), ("0-5", (0, 1, 2, 3, 4, 5)), ("0,3,7-9", (0, 3, 7, 8, 9)), ("3,3,2-4", (3, 2, 4)), ("7-7", (7,))],
)
def test_seeds(text: str, numbers: tuple[int, ...], run_all: ModuleType) -> None:
    assert run_all.seeds(text) == numbers


def test_lists_may_have_spaces_or_commas(run_all: ModuleType) -> None:
    words = (
        "--tasks arithmetic_sum,set_digits set_mnist --models janossy:k=3,phi=gru deep_sets,fspool --decoders mlp,lstm"
    )
    made = run_all.options(run_all.parser().parse_args(words.split()))
    assert made.tasks == ["arithmetic_sum", "set_digits", "set_mnist"]
    assert made.models == ["janossy:k=3,phi=gru", "deep_sets", "fspool"]
    assert made.decoders == ["mlp", "lstm"]


SMALL = ["--preset", "smoke", "--tasks", "arithmetic_variance", "--models", "janossy:k=N", "--device", "cpu"]
"""Two cells: the floor, which runs, and one that cannot run and is recorded at once."""


def refuse(*_: Any, **__: Any) -> Any:
    raise PermissionError(13, "Permission denied", "results")


def test_a_folder_that_cannot_be_written_is_one_line(
    run_all: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("setbench.bench.records.store.tempfile.mkstemp", refuse)
    assert run_all.main([*SMALL, "--results", str(tmp_path)]) == 1
    said = capsys.readouterr().err.splitlines()
    assert said[-1] == "run_all.py: [Errno 13] Permission denied: 'results'"
    assert not any("Traceback" in line for line in said)


def test_a_folder_that_is_a_file_is_one_line(
    run_all: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")
    assert run_all.main([*SMALL, "--results", str(tmp_path / "file")]) == 1
    said = capsys.readouterr().err.splitlines()
    assert "Not a directory" in said[-1] or "File exists" in said[-1]
    assert not any("Traceback" in line for line in said)


def test_a_leaderboard_that_cannot_be_written_is_one_line(
    run_all: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("setbench.bench.report.write_report", refuse)
    assert run_all.main([*SMALL, "--results", str(tmp_path), "--report-only"]) == 1
    assert capsys.readouterr().err == (
        "run_all.py: the leaderboard could not be written: [Errno 13] Permission denied: 'results'\n"
    )


def test_a_full_disk_is_one_line_and_the_old_record_stays(
    run_all: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("setbench.bench.records.store.os.fsync", full)
    assert run_all.main([*SMALL, "--results", str(tmp_path)]) == 1
    assert capsys.readouterr().err.splitlines()[-1] == "run_all.py: [Errno 28] No space left on device"
    assert list((tmp_path / "records").iterdir()) == []


def test_report_only_runs_nothing(run_all: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_all.main([*SMALL, "--results", str(tmp_path), "--report-only"]) == 0
    assert not (tmp_path / "records").exists()
    assert (tmp_path / "leaderboard.md").is_file()
    assert os.fspath(tmp_path / "leaderboard.md") in capsys.readouterr().out
