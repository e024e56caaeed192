"""Whatever happens to a job ends in that job's outcome, and the others finish."""

import time
from pathlib import Path

import pytest

from setbench.bench.runner.execute import Job, Outcome, Pool

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


def test_too_much_memory_is_that_jobs_own(tmp_path: Path) -> None:
    pool = Pool(1, memory_limit=2**30)
    ended = outcomes(pool, job("take_memory", 4), job("take_memory", 0.1), job("add", 1, 2))
    assert ended["add"].status == "ok"
    assert outcomes(pool, job("take_memory", 4))["take_memory"].status == "out_of_memory"
    assert outcomes(pool, job("take_memory", 0.1))["take_memory"].status == "ok"


def test_closing_the_run_leaves_no_process(tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    run = Pool(1).run(iter([job("hang", str(pid_file))]))
    assert next(run).kind == "started"
    deadline = time.monotonic() + 20
    while not (pid_file.exists() and pid_file.read_text()):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    run.close()
    assert _gone(int(pid_file.read_text()))


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
