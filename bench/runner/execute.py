"""Where cells run: a process each, from a forkserver that has already imported torch. Imports no torch itself.

Whatever happens to a cell ends in that cell's outcome: an exception, a kill, a hang, too much memory.
"""

from __future__ import annotations

import contextlib
import ctypes
import multiprocessing
import os
import resource
import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from multiprocessing import forkserver
from multiprocessing.connection import Connection, wait
from types import ModuleType
from typing import Any

from setbench.bench.runner.preloaded import NAMES

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


@dataclass(frozen=True)
class Outcome:
    """How a job ended: a status of DESIGN.md, a one-line reason, the traceback of a failure, what it returned."""

    status: str
    reason: str = ""
    traceback: str = ""
    result: Any = None


@dataclass
class Event:
    """Something to tell: a job started, made progress or ended."""

    kind: str
    key: str
    done: Any = None
    value: Any = None
    outcome: Outcome | None = None


@dataclass
class _Running:
    job: Job
    process: Any
    pipe: Connection
    deadline: float
    outcome: Outcome | None = None
    timed_out: bool = False


def preload(modules: Sequence[str]) -> None:
    """Start the forkserver and have it import these modules once, for all processes. Where one runs already, it stays.

    By itself it would import from the working directory first, where there may be another package of the same name,
    and know nothing of this process's import path; so it is given that, and nothing else.
    """
    forkserver.set_forkserver_preload(["setbench.bench.runner.preloaded"])
    path = os.pathsep.join(name or os.getcwd() for name in sys.path)
    with _without_main_module(), _environment(PYTHONSAFEPATH="1", PYTHONPATH=path, **{NAMES: " ".join(modules)}):
        forkserver.ensure_running()


@contextlib.contextmanager
def _without_main_module() -> Iterator[None]:
    """Jobs need nothing of the script that started the run; Python would run it again in each of their processes, and
    a script of three lines that calls ``run`` would start itself over."""
    main = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main


@contextlib.contextmanager
def _environment(**values: str) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


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

    def run(self, jobs: Iterator[Job]) -> Iterator[Event]:
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
            _kill_group(item.process.pid, signal.SIGKILL)
            item.process.kill()  # one that has just started has no group of its own yet
            item.process.join()
        self.running.clear()

    def _start(self, job: Job) -> _Running:
        here, there = self.context.Pipe(duplex=False)
        process = self.context.Process(
            target=_child, args=(there, job, self.threads, self.memory_limit), name=job.key, daemon=False
        )
        with _without_main_module():
            process.start()
        there.close()
        deadline = float("inf") if self.time_limit is None else time.monotonic() + self.time_limit
        return _Running(job, process, here, deadline)

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
                _kill_group(item.process.pid, signal.SIGKILL)
                yield Event("ended", item.job.key, outcome=self._ending(item))
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
            _kill_group(item.process.pid, signal.SIGTERM)
            item.process.terminate()  # one that has just started has no group of its own yet
        elif time.monotonic() > item.deadline + GRACE_SECONDS:
            _kill_group(item.process.pid, signal.SIGKILL)
            item.process.kill()

    def _ending(self, item: _Running) -> Outcome:
        if item.outcome is not None:
            return item.outcome
        if item.timed_out:
            return Outcome("timed_out", f"stopped at the limit of {self.time_limit:g} s")
        return _died(item.process.exitcode)


def _died(code: int | None) -> Outcome:
    if code is not None and code < 0:
        name = signal.Signals(-code).name
        hint = "; the system does this when memory runs out" if name == "SIGKILL" else ""
        return Outcome("killed", f"the process was ended by {name}{hint}")
    return Outcome("failed", f"the process ended with exit code {code} and no result")


def _kill_group(pid: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, number)


def _child(pipe: Connection, job: Job, threads: int, memory_limit: int | None) -> None:
    os.setsid()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    _die_with_parent()
    import torch

    torch.set_num_threads(threads)
    _limit_memory(memory_limit)
    send = _quietly(pipe)
    send(_outcome(job, lambda done, value: send((done, value))))
    pipe.close()


def _quietly(pipe: Connection) -> Callable[[Any], None]:
    def send(message: Any) -> None:
        try:
            pipe.send(message)
        except (BrokenPipeError, OSError):
            os._exit(1)  # the driver is gone: nobody is left to tell

    return send


def _outcome(job: Job, watch: Callable[[Any, Any], None]) -> Outcome:
    from importlib import import_module

    import torch

    from setbench.tasks.interfaces import NoData

    module, _, name = job.target.partition(":")
    try:
        return Outcome("ok", result=getattr(import_module(module), name)(*job.arguments, watch))
    except NoData as error:
        return Outcome("no_data", _line(error))
    except FloatingPointError as error:
        return Outcome("diverged", _line(error))
    except (MemoryError, torch.OutOfMemoryError) as error:
        return Outcome("out_of_memory", _line(error) or "the memory limit of a cell was reached")
    except Exception as error:
        if isinstance(error, RuntimeError) and "allocate memory" in str(error):
            return Outcome("out_of_memory", "the memory limit of a cell was reached: " + _line(error))
        return Outcome("failed", f"{type(error).__name__}: {_line(error)}", traceback.format_exc())


def _line(error: BaseException) -> str:
    return str(error).strip().splitlines()[0][:300] if str(error).strip() else ""


def _limit_memory(limit: int | None) -> None:
    """Cap the address space, which is what an allocation asks for. CUDA maps far more than it uses: there it is a
    share of the card."""
    if limit is None or not sys.platform.startswith("linux"):
        return
    import torch

    if torch.cuda.is_available():
        total = torch.cuda.get_device_properties(0).total_memory
        torch.cuda.set_per_process_memory_fraction(min(1.0, limit / total))
        return
    with open("/proc/self/statm") as file:
        now = int(file.read().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (now + limit, now + limit))


def _die_with_parent() -> None:
    """Linux ends this process when the forkserver ends, which ends when the driver does, however that went."""
    if sys.platform.startswith("linux"):
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG
