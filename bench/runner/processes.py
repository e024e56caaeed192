"""What the system is told of the processes that cells run in: how they start, what they may take, how they end with
all their descendants, whatever these do and however the driver ends. Imports no torch.

Linux gives an orphan to its nearest ancestor that asked for orphans, so nothing gets away: a cell adopts those of its
own descendants, and the forkserver (``preloaded.py``) those of a cell that is gone.
"""

from __future__ import annotations

import contextlib
import ctypes
import multiprocessing
import os
import resource
import signal
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from multiprocessing import forkserver
from pathlib import Path
from types import ModuleType
from typing import Any

import psutil

LINUX = sys.platform.startswith("linux")
NAMES = "SETBENCH_PRELOAD"
PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3  # of glibc's malloc.h
ORPHANS_SECONDS = 5.0
"""How long :func:`end_orphans` waits for those it has killed to be gone, and for theirs to turn up."""


_plugged: dict[str, int] = {}
"""The plugins that the forkserver has imported -> when their files were last changed then."""


def preload(modules: Sequence[str], plugins: Sequence[str] = ()) -> None:
    """Start the forkserver and have it import these modules once, for all processes. Where one runs already, it stays,
    unless there are plugins that it does not know, or knows as they were before their files were changed.

    By itself it would import from the working directory first, where there may be another package of the same name,
    and know nothing of this process's import path; so it is given that, and nothing else.
    """
    now = {name: Path(sys.modules[name].__file__ or "").stat().st_mtime_ns for name in plugins}
    if not now.items() <= _plugged.items():
        server: Any = forkserver._forkserver
        server._stop()
        _plugged.update(now)
    modules = [*_plugged, *modules]
    forkserver.set_forkserver_preload(["setbench.bench.runner.preloaded"])
    path = os.pathsep.join(name or os.getcwd() for name in sys.path)
    with without_main_module(), _environment(PYTHONSAFEPATH="1", PYTHONPATH=path, **{NAMES: " ".join(modules)}):
        try:
            forkserver.ensure_running()
        except OSError as error:
            if "AF_UNIX" not in str(error):
                raise
            folder = tempfile.gettempdir()
            raise OSError(f"the temporary folder {folder} is too long a path for a socket; set TMPDIR") from None


@contextlib.contextmanager
def without_main_module() -> Iterator[None]:
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


def kill_group(pid: int, number: signal.Signals) -> None:
    """Signal a process and those of its family that have not left its group."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, number)


def kill_family(pid: int) -> None:
    """End a process with all its descendants, those in sessions of their own too."""
    try:
        family = [*psutil.Process(pid).children(recursive=True), psutil.Process(pid)]
    except psutil.Error:
        family = []
    kill_group(pid, signal.SIGKILL)
    _kill(family)


def kill_descendants() -> None:
    """End all that this process has started and adopted; again until there are none, since the orphans of those that
    were ended become its own."""
    deadline = time.monotonic() + ORPHANS_SECONDS
    while (family := _living(psutil.Process().children(recursive=True))) and time.monotonic() < deadline:
        _kill(family)
        psutil.wait_procs(family, timeout=0.1)


def end_orphans() -> None:
    """End what jobs that are gone have left behind: the forkserver's children that no process object of ours is."""
    pid = getattr(forkserver._forkserver, "_forkserver_pid", None)
    deadline = time.monotonic() + ORPHANS_SECONDS
    while pid is not None and time.monotonic() < deadline:
        ours = {process.pid for process in multiprocessing.active_children()}
        try:
            server = psutil.Process(pid)
            if server.ppid() != os.getpid():  # it is gone, and somebody else has its number
                return
            orphans = _living([one for one in server.children() if one.pid not in ours])
        except psutil.Error:
            return
        if not orphans:
            return
        _kill(orphans)
        psutil.wait_procs(orphans, timeout=0.1)


def _kill(processes: Sequence[psutil.Process]) -> None:
    for process in processes:
        with contextlib.suppress(psutil.Error):
            process.kill()


def _living(processes: Sequence[psutil.Process]) -> list[psutil.Process]:
    living = []
    for process in processes:
        with contextlib.suppress(psutil.Error):
            if process.status() != psutil.STATUS_ZOMBIE:
                living.append(process)
    return living


def start_family() -> None:
    """Make of this process, a job's, one that its driver can end with all its family, and that ends with it.

    A job keeps the forkserver alive by a pipe that it inherits. It lets go of that: else the forkserver would wait for
    a job that hangs, when the driver is gone.
    """
    os.setsid()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    server: Any = forkserver._forkserver
    if (alive := getattr(server, "_forkserver_alive_fd", None)) is not None:
        os.close(alive)
        server._forkserver_alive_fd = server._forkserver_address = None
    prctl(PR_SET_PDEATHSIG, signal.SIGKILL)  # of the forkserver, which ends when the driver does, however that went
    prctl(PR_SET_CHILD_SUBREAPER, 1)


def prctl(what: int, value: int) -> None:
    """Linux's own; elsewhere nothing."""
    if LINUX:
        ctypes.CDLL(None).prctl(what, value)


def keep_freed_memory() -> None:
    """Have the allocator keep what is freed, for the next step asks for as much again.

    Left alone, glibc asks the system for every piece above 32 MB (above less at first) and gives it back, and to touch
    new memory costs ten times what writing to known memory does. The price is that a peak of memory holds some pieces
    that were freed. Where the allocator is another, or refuses, nothing happens.
    """
    change = getattr(ctypes.CDLL(None), "mallopt", None) if LINUX else None
    if change is not None and change(M_MMAP_THRESHOLD, 2**30):
        change(M_TRIM_THRESHOLD, 2**31 - 1)


@contextlib.contextmanager
def memory_limited(limit: int | None) -> Iterator[None]:
    """Cap what this process may add to its address space, which is what an allocation asks for. CUDA maps far more
    than it uses: there it is a share of the card."""
    if limit is None or not LINUX:
        yield
        return
    import torch

    if torch.cuda.is_available():
        total = torch.cuda.get_device_properties(0).total_memory
        torch.cuda.set_per_process_memory_fraction(min(1.0, limit / total))
        yield
        return
    with open("/proc/self/statm") as file:
        now = int(file.read().split()[0]) * resource.getpagesize()
    before, most = resource.getrlimit(resource.RLIMIT_AS)
    allowed = now + limit if most == resource.RLIM_INFINITY else min(now + limit, most)
    resource.setrlimit(resource.RLIMIT_AS, (allowed, most))
    try:
        yield
    finally:  # what went wrong must still be told
        resource.setrlimit(resource.RLIMIT_AS, (before, most))
