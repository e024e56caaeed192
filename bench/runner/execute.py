"""Where cells run: a process each, from a forkserver that has already imported torch. Imports no torch itself.

Whatever happens to a cell ends in that cell's outcome: an exception, a kill, a hang, too much memory.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from importlib import import_module
from multiprocessing.connection import Connection, wait
from typing import Any

from setbench.bench.records.record import Machine, Status
from setbench.bench.runner.endings import Outcome, died, raised
from setbench.bench.runner.processes import (
    end_orphans,
    keep_freed_memory,
    kill_descendants,
    kill_family,
    kill_group,
    memory_limited,
    start_family,
    without_main_module,
)

GRACE_SECONDS = 2.0

THREADS = 1
"""Of every cell: so that sums are added up in one order, however many cells run at once."""


@dataclass(frozen=True)
class Job:
    """A function to run in a process of its own, as ``module:function``, with its arguments.

    The function is called as ``function(*arguments, watch)``; ``watch(done, value)`` sends progress.
    """

    key: str
    target: str
    arguments: tuple[Any, ...]


@dataclass
class Event:
    """Something to tell: a job started, made progress or ended, after ``seconds`` of its process, on another
    ``machine`` or (None) this one."""

    kind: str
    key: str
    done: Any = None
    value: Any = None
    outcome: Outcome | None = None
    seconds: float = 0.0
    machine: Machine | None = None


@dataclass
class _Running:
    job: Job
    process: Any
    pipe: Connection
    deadline: float
    start: float
    outcome: Outcome | None = None
    timed_out: bool = False


class Pool:
    """Runs jobs, ``jobs`` at a time.

    Args:
        jobs: processes at once.
        time_limit: seconds a job may take, or None.
        memory_limit: bytes of address space a job may add to what it starts with, or None. On CUDA it is a share
            of the card, set in the job.
        threads: of each job.
    """

    def __init__(
        self, jobs: int, time_limit: float | None = None, memory_limit: int | None = None, threads: int = THREADS
    ) -> None:
        self.jobs, self.time_limit, self.memory_limit = jobs, time_limit, memory_limit
        self.context = multiprocessing.get_context("forkserver")
        self.threads = threads
        self.running: list[_Running] = []

    def run(self, jobs: Iterator[Job]) -> Generator[Event]:
        """Run all jobs, yielding what happens as it happens. Closing the iterator stops every process."""
        try:
            exhausted = False
            while True:
                while not exhausted and len(self.running) < self.jobs:
                    job = next(jobs, None)
                    if job is None:
                        exhausted = True
                        break
                    self.running.append(self._start(job))
                    yield Event("started", job.key)
                if not self.running:
                    return
                yield from self._poll()
        finally:
            self.stop()

    def stop(self) -> None:
        """Kill every process of every running job, grandchildren included."""
        for item in self.running:
            kill_family(item.process.pid)
            item.process.kill()  # one that has just started has no group of its own yet
            item.process.join()
        self.running.clear()
        end_orphans()

    def _start(self, job: Job) -> _Running:
        here, there = self.context.Pipe(duplex=False)
        process = self.context.Process(
            target=_child, args=(there, job, self.threads, self.memory_limit), name=job.key, daemon=False
        )
        with without_main_module():
            process.start()
        there.close()
        start = time.monotonic()
        deadline = float("inf") if self.time_limit is None else start + self.time_limit
        return _Running(job, process, here, deadline, start)

    def _poll(self) -> Iterator[Event]:
        handles: list[Any] = [item.pipe for item in self.running if not item.pipe.closed]
        handles += [item.process.sentinel for item in self.running]
        wait(handles, timeout=0.2)
        for item in list(self.running):
            yield from self._drain(item)
            if not item.process.is_alive():
                yield from self._drain(item)
                self.running.remove(item)
                item.process.join()
                kill_group(item.process.pid, signal.SIGKILL)  # whoever of its family is left
                end_orphans()
                seconds = time.monotonic() - item.start
                yield Event("ended", item.job.key, outcome=self._ending(item), seconds=seconds)
            elif time.monotonic() > item.deadline:
                self._time_out(item)

    def _drain(self, item: _Running) -> Iterator[Event]:
        try:
            while not item.pipe.closed and item.pipe.poll():
                message = item.pipe.recv()
                if isinstance(message, Outcome):
                    item.outcome = item.outcome or message
                else:
                    yield Event("progress", item.job.key, *message)
        except (EOFError, OSError):
            item.pipe.close()

    def _time_out(self, item: _Running) -> None:
        """Ask the group to end; after a grace, end it. A result that came in time stands."""
        if not item.timed_out:
            item.timed_out = True
            kill_group(item.process.pid, signal.SIGTERM)
            item.process.terminate()  # one that has just started has no group of its own yet
        elif time.monotonic() > item.deadline + GRACE_SECONDS:
            kill_family(item.process.pid)
            item.process.kill()

    def _ending(self, item: _Running) -> Outcome:
        if item.outcome is not None:
            return item.outcome
        if item.timed_out:
            return Outcome(Status.TIMED_OUT, f"stopped at the limit of {self.time_limit:g} s")
        return died(item.process.exitcode)


def _child(pipe: Connection, job: Job, threads: int, memory_limit: int | None) -> None:
    """What a job's process does."""
    start_family()
    keep_freed_memory()
    import torch

    torch.set_num_threads(threads)
    send = _quietly(pipe)
    outcome = _outcome(job, memory_limit, lambda done, value: send((done, value)))
    kill_descendants()
    send(outcome)
    pipe.close()


def _quietly(pipe: Connection) -> Callable[[Any], None]:
    def send(message: Any) -> None:
        try:
            pipe.send(message)
        except (BrokenPipeError, OSError):
            os._exit(1)  # the driver is gone: nobody is left to tell

    return send


def _outcome(job: Job, memory_limit: int | None, watch: Callable[[Any, Any], None]) -> Outcome:
    module, _, name = job.target.partition(":")
    try:
        with memory_limited(memory_limit):
            return Outcome(Status.OK, result=getattr(import_module(module), name)(*job.arguments, watch))
    except BaseException as error:  # sys.exit in a model is that cell's ending too
        return raised(error)
