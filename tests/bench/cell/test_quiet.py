"""Training is shared, timing is alone. Waits below are for what must happen, or for what must never happen."""

import fcntl
import multiprocessing
import os
import threading
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from setbench.bench.cell.quiet import QuietMachine

LONG = 20.0
MOMENT = 0.2


class Holder(threading.Thread):
    """Enters a lock, says so, and leaves when told."""

    def __init__(self, lock: AbstractContextManager[None], log: list[str] | None = None, name: str = "") -> None:
        super().__init__(daemon=True)
        self.lock, self.log, self.title = lock, log, name
        self.inside, self.leave = threading.Event(), threading.Event()
        self.start()

    def run(self) -> None:
        with self.lock:
            if self.log is not None:
                self.log.append(self.title)
            self.inside.set()
            self.leave.wait(LONG)

    def release(self) -> None:
        self.leave.set()
        self.join(LONG)


def test_many_train_at_once(tmp_path: Path) -> None:
    holders = [Holder(QuietMachine(tmp_path).training()) for _ in range(3)]
    assert all(holder.inside.wait(LONG) for holder in holders)
    for holder in holders:
        holder.release()


def test_timing_waits_for_training_and_training_for_timing(tmp_path: Path) -> None:
    training = Holder(QuietMachine(tmp_path).training())
    assert training.inside.wait(LONG)
    timing = Holder(QuietMachine(tmp_path).timing())
    assert not timing.inside.wait(MOMENT)
    training.release()
    assert timing.inside.wait(LONG)
    later = Holder(QuietMachine(tmp_path).training())
    other = Holder(QuietMachine(tmp_path).timing())
    assert not later.inside.wait(MOMENT)
    assert not other.inside.is_set()
    timing.release()
    later.release()
    other.release()
    assert later.inside.is_set()
    assert other.inside.is_set()


def test_who_waits_to_time_goes_before_who_comes_to_train(tmp_path: Path) -> None:
    """Or a machine full of training would never be quiet."""
    log: list[str] = []
    first = Holder(QuietMachine(tmp_path).training(), log, "training")
    assert first.inside.wait(LONG)
    timing = Holder(QuietMachine(tmp_path).timing(), log, "timing")
    while not _locked(tmp_path / "turnstile"):
        assert timing.is_alive()
    second = Holder(QuietMachine(tmp_path).training(), log, "more training")
    assert not second.inside.wait(MOMENT)
    first.release()
    assert timing.inside.wait(LONG)
    timing.release()
    second.release()
    assert log == ["training", "timing", "more training"]


def _locked(path: Path) -> bool:
    handle = os.open(path, os.O_RDWR | os.O_CREAT)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(handle)
    return False


def _hold(folder: Path, ready: Any) -> None:
    with QuietMachine(folder).timing():
        ready.send(True)
        ready.recv()


def test_a_dead_process_holds_nothing(tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    here, there = context.Pipe()
    holder = context.Process(target=_hold, args=(tmp_path, there))
    holder.start()
    assert here.recv()
    waiting = Holder(QuietMachine(tmp_path).training())
    assert not waiting.inside.wait(MOMENT)
    holder.kill()
    holder.join()
    assert waiting.inside.wait(LONG)
    waiting.release()
