"""What a record says of the machine, the versions and the code. Imports no torch."""

from __future__ import annotations

import hashlib
import os
import platform
import subprocess
from collections.abc import Iterator
from functools import cache
from importlib.metadata import version
from pathlib import Path

import psutil

from setbench import __version__
from setbench.bench.records.record import Machine

REPOSITORY = Path(__file__).resolve().parents[2]
"""Of a clone; of an installation it is the package's own folder, and no repository."""
NOT_RESULTS = ":(exclude,top)results"
COMPUTES = (":/bench/cell", ":/bench/experiments", ":/models", ":/tasks", ":/setbench")
PACKAGES = ("torch", "torch-geometric", "numpy", "scipy", "pandas", "scikit-learn")


CONTROL_GROUP = Path("/sys/fs/cgroup")
OWN_GROUPS = Path("/proc/self/cgroup")


def cores() -> int:
    """Cores that this process may use: those of its affinity, and no more than its container's share of time."""
    there = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    shares = []
    for group in _groups("cpu"):
        match _numbers(group / "cpu.max") or _numbers(group / "cpu.cfs_quota_us", group / "cpu.cfs_period_us"):
            case [quota, period]:
                shares.append(quota // period)
    return max(1, min([there, *shares]))


def memory_bytes() -> int:
    """Memory that this process may use: the machine's, and no more than its container's."""
    limits = [psutil.virtual_memory().total]
    for group in _groups("memory"):
        limits += _numbers(group / "memory.max") or _numbers(group / "memory.limit_in_bytes")
    return min(limits)


def _groups(controller: str) -> Iterator[Path]:
    """The folders of the control groups that this process is in, of version 2 and 1, with all those around them: each
    may have a limit. A container often sees its own as the root, by whatever name the host has for it."""
    try:
        lines = OWN_GROUPS.read_text().splitlines()
    except OSError:  # no such system
        lines = []
    for line in [*lines, "0::/", f"1:{controller}:/"]:
        _, controllers, path = line.split(":", 2)
        if not controllers or controller in controllers.split(","):
            root = CONTROL_GROUP / controller if controllers else CONTROL_GROUP
            group = root / path.strip("/")
            yield from [group, *(around for around in group.parents if around.is_relative_to(root))]


def _numbers(*files: Path) -> list[int]:
    """The numbers in these files, all of them more than 0; none where one is not there, or says that there is no limit
    ("max", or -1)."""
    try:
        words = [word for file in files for word in file.read_text().split()]
    except OSError:
        return []
    return [int(word) for word in words] if all(word.isdigit() and int(word) > 0 for word in words) else []


def device_kind(asked: str) -> str:
    """ "cpu" or "cuda" for ``--device``; "auto" takes CUDA where this torch has it and a GPU's driver is loaded.

    Raises:
        ValueError: CUDA was asked for and is not there, in one line.
    """
    build = version("torch")
    there = "+cpu" not in build and Path("/dev/nvidiactl").exists()
    if asked == "cuda" and not there:
        why = f"torch {build} is a CPU build" if "+cpu" in build else "no NVIDIA driver is loaded"
        raise ValueError(f"--device cuda: {why}; use --device cpu, or auto")
    return "cuda" if asked == "cuda" or (asked == "auto" and there) else "cpu"


@cache
def processor() -> str:
    """The processor's name."""
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def machine() -> Machine:
    """Processor, cores, memory and system; of its name in the network a hash alone, for records are published."""
    return Machine(
        cpu=processor(),
        cores=cores(),
        memory_gb=round(memory_bytes() / 2**30),
        platform=f"{platform.system()} {platform.machine()}",
        host=hashlib.sha256(platform.node().encode()).hexdigest()[:8],
    )


@cache
def versions() -> dict[str, str]:
    """Versions of what decides the numbers."""
    return {
        "setbench": __version__,
        "python": platform.python_version(),
        **{package: version(package) for package in PACKAGES},
    }


@cache
def commit() -> tuple[str, bool]:
    """The code's commit and whether files differ from it; ("", False) outside a checkout of ours. Files of ``results``
    are no code: a run may write over committed ones.

    An environment may lie in somebody's repository, and so may a copy of the code: that one's commit is not ours.
    """
    top = git("rev-parse", "--show-toplevel")
    if not (top and (REPOSITORY / "setbench" / "__init__.py").is_file() and REPOSITORY.samefile(top)):
        return "", False
    head = git("rev-parse", "--short=12", "HEAD")
    return head, bool(head and git("status", "--porcelain", "--untracked-files=no", "--", ":/", NOT_RESULTS))


@cache
def same_code(one: str, other: str) -> bool:
    """Whether nothing that decides an experiment's numbers differs between two commits; False where git does not know
    one of them."""
    return one == other or (
        bool(one and other) and git("diff", "--stat", one, other, "--", *COMPUTES, missing="?") == ""
    )


def git(*arguments: str, missing: str = "") -> str:
    """What git prints of our repository; ``missing`` where it fails."""
    command = ["git", "-C", str(REPOSITORY), *arguments]
    environment = {name: value for name, value in os.environ.items() if name not in ("GIT_DIR", "GIT_WORK_TREE")}
    try:
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return missing
    return done.stdout.strip() if done.returncode == 0 else missing
