"""Whatever happens to a job ends in that job's outcome, and the others finish."""

import os
import platform
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from jobs_for_tests import LEAVE

from setbench.bench.runner.endings import Outcome
from setbench.bench.runner.execute import Job, Pool

ROOT = Path(__file__).parents[3]
pytestmark = pytest.mark.usefixtures("forkserver")


def job(name: str, *arguments: object) -> Job:
    return Job(f"{name}{arguments}", f"jobs_for_tests:{name}", arguments)


def outcomes(pool: Pool, *jobs: Job) -> dict[str, Outcome]:
    ended = {}
    for event in pool.run(iter(jobs)):
        if event.outcome is not None:
            ended[event.key.partition("(")[0]] = event.outcome
    return ended


@pytest.fixture
def pool() -> Pool:
    return Pool(2)


def test_result_and_progress(pool: Pool) -> None:
    events = list(pool.run(iter([job("add", 2, 3)])))
    assert [event.kind for event in events] == ["started", "progress", "ended"]
    assert (events[1].done, events[1].value) == (0.5, "half way")
    assert events[2].outcome == Outcome("ok", result=5)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another allocator, which is left as it is")
def test_freed_memory_is_used_again(pool: Pool) -> None:
    """64 MB are 16,384 pages, which the allocator, left alone, asks for anew each time; it needs some room to place an
    aligned piece, so that the first few are anew in any case."""
    ended = outcomes(pool, job("fresh_pages", 64, 40))
    assert ended["fresh_pages"].result < 40 * 16384 / 2


def test_each_ending_has_its_status_and_the_others_finish(pool: Pool) -> None:
    ended = outcomes(
        pool,
        job("raise_error"),
        job("no_data"),
        job("diverge"),
        job("kill_itself"),
        job("exit_silently"),
        job("add", 1, 1),
    )
    assert {name: outcome.status for name, outcome in ended.items()} == {
        "raise_error": "failed",
        "no_data": "no_data",
        "diverge": "diverged",
        "kill_itself": "killed",
        "exit_silently": "failed",
        "add": "ok",
    }
    assert ended["raise_error"].reason == "RuntimeError: a made-up error"
    assert "jobs_for_tests.py" in ended["raise_error"].traceback
    assert "SIGKILL" in ended["kill_itself"].reason
    assert "exit code 3" in ended["exit_silently"].reason
    assert ended["no_data"].reason == "there is none; get it with a spoon"


def test_a_hang_ends_at_the_time_limit_with_its_children(tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    ended = outcomes(Pool(2, time_limit=3), job("hang", str(pid_file)), job("add", 1, 2))
    assert ended["hang"].status == "timed_out"
    assert "3 s" in ended["hang"].reason
    assert ended["add"].result == 3
    assert _gone(int(pid_file.read_text()))


@pytest.mark.parametrize("kind", LEAVE)
@pytest.mark.parametrize("ending", ["hang", "die", "return", "closed"])
def test_nobody_gets_away(kind: str, ending: str, tmp_path: Path) -> None:
    """A job's descendants in sessions of their own end with it, however it ends."""
    pid_file = tmp_path / "pids"
    told = job("with_runaway", kind, "hang" if ending == "closed" else ending, str(pid_file))
    if ending == "closed":
        run = Pool(1).run(iter([told]))
        assert next(run).kind == "started"
        wait_for_lines(pid_file, LEAVE[kind])
        run.close()
    else:
        found = outcomes(Pool(1, time_limit=6 if ending == "hang" else None), told)["with_runaway"]
        assert found.status == {"hang": "timed_out", "die": "killed", "return": "ok"}[ending]
    pids = [int(line) for line in pid_file.read_text().split()]
    assert len(pids) == LEAVE[kind]
    assert all(map(_gone, pids))


DRIVER = """
import sys
sys.path[:0] = {paths!r}
from setbench.bench.runner.execute import Job, Pool
from setbench.bench.runner.processes import preload
preload(["torch", "jobs_for_tests"])
jobs = [Job(kind, "jobs_for_tests:with_runaway", (kind, "hang", {pid_file!r} + kind)) for kind in {kinds!r}]
for event in Pool({jobs}).run(iter(jobs)):
    pass
"""


@pytest.mark.parametrize("group", [False, True])
def test_nobody_gets_away_when_the_driver_is_killed(group: bool, tmp_path: Path) -> None:
    """By kill -9 of the driver, or of all its group: no cell, no descendant of one and no forkserver is left."""
    paths = [str(ROOT), str(ROOT / "tests" / "bench")]
    text = DRIVER.format(paths=paths, pid_file=str(tmp_path / "pids-"), kinds=list(LEAVE), jobs=len(LEAVE))
    driver = subprocess.Popen([sys.executable, "-c", text], start_new_session=True, cwd=tmp_path)
    for kind, count in LEAVE.items():
        wait_for_lines(tmp_path / f"pids-{kind}", count)
    everyone = psutil.Process(driver.pid).children(recursive=True)
    if group:
        os.killpg(driver.pid, signal.SIGKILL)
    else:
        driver.kill()
    driver.wait()
    pids = {int(line) for path in tmp_path.glob("pids-*") for line in path.read_text().split()}
    assert len(pids) == sum(LEAVE.values())
    assert pids < {one.pid for one in everyone}  # adopted by their cell, so within the driver's family
    _, left = psutil.wait_procs(everyone, timeout=10)
    assert left == []


WORDS = {
    "exit 0": "the cell's own code called sys.exit(0)",
    "exit with words": "the cell's own code called sys.exit(\"that's it\")",
    "exit with the unspeakable": "the cell's own code called sys.exit(something whose repr raised RuntimeError)",
    "interrupt": "KeyboardInterrupt, raised by the cell's own code",
    "unspeakable": "Unspeakable: Unspeakable, whose message raised RuntimeError",
    "generator exit": "GeneratorExit: ",
}


def test_what_is_no_ordinary_exception_says_so(pool: Pool) -> None:
    for what, words in WORDS.items():
        found = outcomes(pool, job("raise_what", what))["raise_what"]
        assert (found.status, found.reason) == ("failed", words)
        assert "\n" not in found.reason
        assert found.traceback


def test_too_much_memory_is_that_jobs_own(tmp_path: Path) -> None:
    pool = Pool(1, memory_limit=2**30)
    ended = outcomes(pool, job("take_memory", 4), job("take_memory", 0.1), job("add", 1, 2))
    assert ended["add"].status == "ok"
    assert outcomes(pool, job("take_memory", 4))["take_memory"].status == "out_of_memory"
    assert outcomes(pool, job("take_memory", 0.1))["take_memory"].status == "ok"


@pytest.mark.parametrize("megabytes", [0.001, 1, 4, 8, 16, 24, 32, 48, 64])
def test_a_tiny_limit_is_out_of_memory_wherever_it_strikes(megabytes: float) -> None:
    """In the work, or while a library is imported, which says it in words of its own."""
    found = outcomes(Pool(1, memory_limit=int(megabytes * 2**20)), job("import_much"))["import_much"]
    assert found.status == "out_of_memory", found
    assert "\n" not in found.reason
    assert found.reason


def test_closing_the_run_leaves_no_process(tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    run = Pool(1).run(iter([job("hang", str(pid_file))]))
    assert next(run).kind == "started"
    wait_for_lines(pid_file, 1)
    run.close()
    assert _gone(int(pid_file.read_text()))


def wait_for_lines(path: Path, count: int) -> None:
    deadline = time.monotonic() + 60
    while not (path.exists() and len(path.read_text().splitlines()) >= count):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def _gone(pid: int) -> bool:
    """Whether a process has ended (a zombie that nobody has reaped counts as ended)."""
    for _ in range(50):
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            return True
        if state == "Z":
            return True
        time.sleep(0.1)
    return False
