"""Functions that cells' processes run in tests: each ends in another way."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import torch

from setbench.bench.cell.measure import PeakMemory
from setbench.tasks.no_data import NoData


def add(left: int, right: int, watch: Any) -> int:
    watch(0.5, "half way")
    return left + right


def fresh_pages(megabytes: int, times: int, watch: Any) -> int:
    """How many pages of memory the system hands out for tensors of which each is freed before the next is made."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(times):
        torch.ones(megabytes, 2**18).sum()
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before


def raise_error(watch: Any) -> None:
    raise RuntimeError("a made-up error\nwith a second line")


def no_data(watch: Any) -> None:
    raise NoData("there is none; get it with a spoon")


def diverge(watch: Any) -> None:
    raise FloatingPointError("the loss was nan")


def kill_itself(watch: Any) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def exit_silently(watch: Any) -> None:
    os._exit(3)


def hang(pid_file: str, watch: Any) -> None:
    """Ignores SIGTERM and has a child of its own."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    with open(pid_file, "w") as file:
        file.write(str(child.pid))
    time.sleep(600)


SLEEPER = """
import os, signal, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
with open(sys.argv[1], "a") as file:
    file.write(f"{os.getpid()}\\n")
time.sleep(600)
"""


def _sleeper(pid_file: str, **more: Any) -> None:
    subprocess.Popen([sys.executable, "-c", SLEEPER, pid_file], **more)


def _in_a_session(pid_file: str) -> None:
    _sleeper(pid_file, start_new_session=True)


def _double_fork(pid_file: str) -> None:
    """As a daemon does: its parent is gone at once, and it has a session of its own; no other program is started."""
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            with open(pid_file, "a") as file:
                file.write(f"{os.getpid()}\n")
            time.sleep(600)
        os._exit(0)
    os.wait()


def _tree(pid_file: str) -> None:
    """A session whose leader has another session under it."""
    below = "import subprocess as s, sys\n"
    below += f"s.Popen([sys.executable, '-c', {SLEEPER!r}, sys.argv[1]], start_new_session=True)\n"
    subprocess.Popen([sys.executable, "-c", below + SLEEPER, pid_file], start_new_session=True)


RUNAWAYS = {"session": _in_a_session, "double fork": _double_fork, "tree": _tree}
LEAVE = {"session": 1, "double fork": 1, "tree": 2}
"""How many processes each kind writes down."""


def with_runaway(kind: str, ending: str, pid_file: str, watch: Any) -> str:
    """Starts processes that want to get away, waits until they have, and then ends as it is told."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    RUNAWAYS[kind](pid_file)
    while not os.path.exists(pid_file) or len(Path(pid_file).read_text().splitlines()) < LEAVE[kind]:
        time.sleep(0.02)
    if ending == "hang":
        time.sleep(600)
    if ending == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    return "done"


class Unspeakable(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no words")

    __repr__ = __str__


def raise_what(what: str, watch: Any) -> None:
    """Ends by what is no ordinary exception."""
    raise {
        "exit 0": SystemExit(0),
        "exit with words": SystemExit("that's it"),
        "exit with the unspeakable": SystemExit(Unspeakable()),
        "interrupt": KeyboardInterrupt(),
        "unspeakable": Unspeakable(),
        "generator exit": GeneratorExit(),
    }[what]


def import_much(watch: Any) -> int:
    """Imports what nobody has imported yet, and computes a little."""
    import scipy.optimize
    import sklearn.ensemble

    return int(torch.ones(1000, 1000).sum()) + len(scipy.optimize.__name__) + len(sklearn.ensemble.__name__)


def take_memory(gigabytes: float, watch: Any) -> int:
    return int(torch.zeros(int(gigabytes * 2**28)).numel())


def peak_memory(megabytes: int, watch: Any) -> float:
    memory = PeakMemory(torch.device("cpu"))
    torch.ones(megabytes * 2**18)  # float32: four bytes a number
    return memory.megabytes()
