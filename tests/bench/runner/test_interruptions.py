"""Commands that are killed, interrupted, or run twice at once: nothing is lost, nothing is doubled, nobody stays."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from runs_for_tests import DECODERS, MODELS, ROWS, TASKS, numbers, stamps

from setbench.bench.maintenance.soak import shown, unlike
from setbench.bench.records.record import Record
from setbench.bench.records.store import Store
from setbench.bench.runner.driver import Run
from setbench.bench.runner.options import options

ROOT = Path(__file__).parents[3]
LONG = 120.0


@pytest.fixture
def commands() -> Iterator[list[subprocess.Popen[str]]]:
    """Those that a test has started; none outlives it."""
    started: list[subprocess.Popen[str]] = []
    yield started
    for command in started:
        if command.poll() is None:
            command.kill()
        command.communicate()


def command(folder: Path, commands: list[subprocess.Popen[str]], *more: str) -> subprocess.Popen[str]:
    """The small cross from the command line, with a cache and a quiet-machine lock of its own."""
    words = ["--tasks", *TASKS, "--models", *MODELS, "--decoders", *DECODERS, "--preset", "smoke", "--device", "cpu"]
    words += ["--results", str(folder / "results"), "--jobs", "1", *more]
    own = {"XDG_CACHE_HOME": str(folder / "cache"), "TMPDIR": str(folder)}
    started = subprocess.Popen(
        [sys.executable, str(ROOT / "run_all.py"), *words],
        cwd=folder,
        env={**os.environ, **own},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=_as_on_a_terminal,
    )
    commands.append(started)
    return started


def _as_on_a_terminal() -> None:
    """A shell has its background jobs ignore Ctrl-C, and so would all that these tests start from one."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def records(folder: Path) -> int:
    return len(list((folder / "results" / "records").glob("*.json")))


def wait_for(condition: Any, what: str) -> None:
    deadline = time.monotonic() + LONG
    while not condition():
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        time.sleep(0.02)


def family(one: subprocess.Popen[str]) -> list[psutil.Process]:
    return psutil.Process(one.pid).children(recursive=True)


def gone(processes: list[psutil.Process]) -> bool:
    return not any(one.is_running() and one.status() != psutil.STATUS_ZOMBIE for one in processes)


def same(folder: Path, finished: tuple[Path, list[Record]]) -> None:
    """Every record of the uninterrupted run, once, and the leaderboard, to the last bit but for times."""
    stored = Store(folder / "results", pytest.fail).all()
    assert {(record.task, record.row) for record in stored} == ROWS
    assert {record.id: numbers(record) for record in stored} == {record.id: numbers(record) for record in finished[1]}
    assert unlike(shown(folder / "results"), shown(finished[0] / "results")) == []


def test_killed_at_any_instant_and_run_again(
    tmp_path: Path, finished: tuple[Path, list[Record]], commands: list[subprocess.Popen[str]]
) -> None:
    chance = random.Random(0)
    kept: dict[str, int] = {}
    for least in (0, 3):
        run = command(tmp_path, commands)
        wait_for(lambda least=least: records(tmp_path) >= least, f"{least} records")
        time.sleep(chance.uniform(0.0, 0.4))
        processes = family(run) if run.poll() is None else []
        run.kill()
        run.wait(LONG)
        wait_for(lambda processes=processes: gone(processes), "the cells' processes to end with the driver")
        if (tmp_path / "results" / "records").exists():
            now = {name: stamp for name, stamp in stamps(tmp_path).items() if name.endswith(".json")}
            assert kept.items() <= now.items()  # none that was finished was run again, or lost
            kept = now
    last = command(tmp_path, commands)
    out, err = last.communicate(timeout=LONG)
    assert last.returncode == 0, err
    assert kept.items() <= stamps(tmp_path).items()
    assert f"{len(ROWS)} ok" in out
    same(tmp_path, finished)


@pytest.mark.parametrize("numbers", [(signal.SIGINT, signal.SIGINT), (signal.SIGTERM, signal.SIGINT)])
def test_an_impatient_second_signal_takes_nothing_away(
    tmp_path: Path, commands: list[subprocess.Popen[str]], numbers: tuple[signal.Signals, signal.Signals]
) -> None:
    run = command(tmp_path, commands, "--seeds", "0-99")
    wait_for(lambda: records(tmp_path) >= 2, "two records")
    processes = family(run)
    run.send_signal(numbers[0])
    time.sleep(0.1)
    run.send_signal(numbers[1])
    out, err = run.communicate(timeout=LONG)
    assert run.returncode == {signal.SIGINT: 130, signal.SIGTERM: 143}[numbers[0]]
    assert "interrupted: what was finished is kept" in err
    assert "Traceback" not in err
    assert " ok" in out
    assert "leaderboard:" in out
    wait_for(lambda: gone(processes), "every process to end")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_politely(tmp_path: Path, commands: list[subprocess.Popen[str]], number: signal.Signals) -> None:
    run = command(tmp_path, commands, "--seeds", "0-99")
    wait_for(lambda: records(tmp_path) >= 2, "two records")
    processes = family(run)
    run.send_signal(number)
    out, err = run.communicate(timeout=LONG)
    assert run.returncode == {signal.SIGINT: 130, signal.SIGTERM: 143}[number]
    assert "interrupted: what was finished is kept" in err
    assert "Traceback" not in err
    assert "leaderboard:" in out
    wait_for(lambda: gone(processes), "every process to end")
    stored = Store(tmp_path / "results", pytest.fail).all()
    assert len(stored) >= 2
    assert {record.status for record in stored} == {"ok"}
    assert (tmp_path / "results" / "leaderboard.md").is_file()


def test_two_runs_on_one_folder_share_the_work(
    tmp_path: Path, finished: tuple[Path, list[Record]], commands: list[subprocess.Popen[str]]
) -> None:
    """Every cell is run once: what one has in hand or has finished, the other leaves alone."""
    runs = [command(tmp_path, commands) for _ in range(2)]
    answers = [run.communicate(timeout=LONG) for run in runs]
    assert [run.returncode for run in runs] == [0, 0], answers
    same(tmp_path, finished)
    said = [line for _, err in answers for line in err.splitlines() if line.startswith("[")]
    assert len(said) == len(ROWS)
    assert list((tmp_path / "results" / "locks").iterdir()) == []


def test_three_lines_of_python(tmp_path: Path, commands: list[subprocess.Popen[str]]) -> None:
    """As in the README: no guard against being imported again, and from a folder that has a ``bench`` of its own."""
    (tmp_path / "setbench.py").write_text("raise ImportError('not the one that is meant')")
    (tmp_path / "my").mkdir()
    script = tmp_path / "my" / "script.py"
    script.write_text(
        "from setbench import run\n"
        "records = run(tasks=['arithmetic_sum'], models=['deep_sets'], preset='smoke', results='results')\n"
        "print([record.status.value for record in records])\n"
    )
    own = {"PYTHONPATH": str(ROOT), "TMPDIR": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path / "cache")}
    done = subprocess.run(
        [sys.executable, str(script)],
        cwd=tmp_path,
        env={**os.environ, **own},
        capture_output=True,
        text=True,
        timeout=LONG,
        check=False,
    )
    assert done.stdout.strip() == "['ok', 'ok']", done.stderr
    assert records(tmp_path) == 2


def test_a_temporary_folder_too_long_for_a_socket_is_one_line(tmp_path: Path) -> None:
    folder = tmp_path / ("x" * 100)
    folder.mkdir()
    words = [
        "--tasks",
        "arithmetic_sum",
        "--models",
        "deep_sets",
        "--preset",
        "smoke",
        "--results",
        str(tmp_path / "r"),
    ]
    done = subprocess.run(
        [sys.executable, str(ROOT / "run_all.py"), *words],
        cwd=tmp_path,  # for its results
        env={**os.environ, "TMPDIR": str(folder)},
        capture_output=True,
        text=True,
        timeout=LONG,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].endswith("is too long a path for a socket; set TMPDIR")
    assert "Traceback" not in done.stderr


def test_a_killed_driver_leaves_a_checkpoint_to_go_on_from(
    tmp_path: Path, commands: list[subprocess.Popen[str]]
) -> None:
    """Killed in the middle of training, the same command goes on; once the cell is done its checkpoint is gone."""
    words = ["--tasks", "arithmetic_sum", "--models", "deep_sets", "--decoders", "mlp", "--set", "steps=1500"]
    words += ["--checkpoint", "0.05"]
    checkpoints = tmp_path / "results" / "checkpoints"
    first = command(tmp_path, commands, *words)
    wait_for(lambda: any(checkpoints.glob("*.pt")), "a checkpoint")
    first.kill()
    first.wait()
    assert any(checkpoints.glob("*.pt"))
    shown_before = command(tmp_path, commands, *words, "--dry-run").communicate()[0]
    assert "1 of them go on from a checkpoint" in shown_before
    second = command(tmp_path, commands, *words)
    said, _ = second.communicate(timeout=LONG)
    assert second.returncode == 0, said
    assert "not used" not in said
    assert list(checkpoints.iterdir()) == []


def test_a_spent_time_budget_is_said_and_has_its_own_exit_code(
    tmp_path: Path, commands: list[subprocess.Popen[str]]
) -> None:
    run = command(tmp_path, commands, "--tasks", "arithmetic_sum", "--models", "deep_sets", "--time-budget", "0.001")
    shown, said = run.communicate(timeout=LONG)
    assert run.returncode == 3
    assert "the time budget of 0 s is spent; cells left: 2; the same command goes on" in said
    assert "leaderboard: " in shown
    assert records(tmp_path) == 0


def test_what_runs_when_the_time_is_spent_goes_on_from_its_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Out of time as soon as there is a checkpoint; then the same again, and one that was never stopped."""

    def planned(folder: str) -> Run:
        asked = {"tasks": ["arithmetic_sum"], "models": ["deep_sets"], "set": {"steps": 3000}, "preset": "smoke"}
        more = {"device": "cpu", "jobs": 1, "checkpoint": 0.05, "cache": tmp_path, "results": tmp_path / folder}
        return Run(options({**asked, **more}))

    first = planned("stopped")
    found = tmp_path / "stopped" / "checkpoints"
    with monkeypatch.context() as patch:
        patch.setattr(Run, "out_of_time", lambda self: any(found.glob("*.pt")))
        assert first.execute()
    assert first.left == 1
    assert len(list(found.glob("*.pt"))) == 1
    second, whole = planned("stopped"), planned("whole")
    assert len(second.missing) == 1
    assert second.execute()
    assert whole.execute()
    assert second.left == 0
    assert list(found.iterdir()) == []
    (one,), (other,) = ([record for record in run.results() if not record.constant] for run in (second, whole))
    assert one.measured is not None
    assert other.measured is not None
    assert one.measured.metrics == other.measured.metrics
    assert one.measured.curve is not None
    assert other.measured.curve is not None
    assert one.measured.curve.loss == other.measured.curve.loss
