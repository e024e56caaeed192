"""Functions that cells' processes run in tests: each ends in another way."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from typing import Any

import torch

from setbench.bench.cell.measure import PeakMemory
from setbench.tasks.interfaces import NoData


def add(left: int, right: int, watch: Any) -> int:
    watch(0.5, "half way")
    return left + right


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


def take_memory(gigabytes: float, watch: Any) -> int:
    return int(torch.zeros(int(gigabytes * 2**28)).numel())


def peak_memory(megabytes: int, watch: Any) -> float:
    memory = PeakMemory(torch.device("cpu"))
    torch.ones(megabytes * 2**18)  # float32: four bytes a number
    return memory.megabytes()
