"""What a record says of the machine, the versions and the code. Imports no torch."""

from __future__ import annotations

import os
import platform
import subprocess
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import psutil

REPOSITORY = Path(__file__).resolve().parents[2]
PACKAGES = ("torch", "torch-geometric", "numpy", "scipy", "pandas", "scikit-learn")


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def memory_bytes() -> int:
    """Memory of the machine."""
    return psutil.virtual_memory().total


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


def machine() -> dict[str, Any]:
    """Processor, cores, memory and system."""
    return {
        "cpu": processor(),
        "cores": cores(),
        "memory_gb": round(memory_bytes() / 2**30),
        "platform": f"{platform.system()} {platform.machine()}",
        "gpu": None,
    }


@cache
def versions() -> dict[str, str]:
    """Versions of what decides the numbers."""
    return {"python": platform.python_version(), **{package: version(package) for package in PACKAGES}}


@cache
def commit() -> tuple[str, bool]:
    """The code's commit and whether files differ from it; ("", False) outside a checkout."""
    head = _git("rev-parse", "--short=12", "HEAD")
    return head, bool(head and _git("status", "--porcelain", "--untracked-files=no"))


def _git(*arguments: str) -> str:
    try:
        done = subprocess.run(
            ["git", "-C", str(REPOSITORY), *arguments], capture_output=True, text=True, timeout=10, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
