"""A process that has imported what all tests import, and runs pytest in a fork of itself for each line that it reads.

Run as a script, away from the package: what is under test must come from the folder that each line names.
"""

from __future__ import annotations

import contextlib
import json
import os
import runpy
import signal
import sys
import time
from importlib import import_module

COMMON = (
    "torch",
    "torch_geometric.nn",
    "scipy.optimize",
    "sklearn.datasets",
    "pandas",
    "matplotlib.figure",
    "seaborn",
    "PIL.Image",
    "pydantic",
    "requests",
    "psutil",
    "filelock",
    "rich.progress",
    "shtab",
    "hypothesis",
    "pytest",
)


def child(folder: str, arguments: list[str], log: str) -> None:
    os.setsid()
    output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    for stream in (1, 2):
        os.dup2(output, stream)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.chdir(folder)
    sys.path[:] = [folder, *sys.path]
    sys.dont_write_bytecode = True
    os.environ["PYTHONDONTWRITEBYTECODE"] = "1"
    sys.argv = ["pytest", *arguments]
    code = 3
    try:
        runpy.run_module("pytest", run_name="__main__", alter_sys=True)
    except SystemExit as stop:
        code = stop.code if isinstance(stop.code, int) else 3
    finally:
        sys.stdout.flush()
        os._exit(code)


def answer(request: dict[str, object]) -> int | None:
    """The exit code, None where the limit of time was reached."""
    pid = os.fork()
    if pid == 0:
        child(str(request["folder"]), list(request["arguments"]), str(request["log"]))  # type: ignore[call-overload]
    end = time.monotonic() + float(str(request["limit"]))
    status = None
    while status is None and time.monotonic() < end:
        done, found = os.waitpid(pid, os.WNOHANG)
        if done:
            status = found
        else:
            time.sleep(0.05)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)
    if status is None:
        os.waitpid(pid, 0)
        return None
    return os.waitstatus_to_exitcode(status)


def main() -> None:
    for name in COMMON:
        with contextlib.suppress(ImportError):
            import_module(name)
    print("ready", flush=True)
    for line in sys.stdin:
        print(json.dumps(answer(json.loads(line))), flush=True)


if __name__ == "__main__":
    main()
