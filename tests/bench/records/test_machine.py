"""Whose code a record says it was: the commit is that of a checkout of ours, or none."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import setbench
from setbench.bench.records import machine


def git(folder: Path, *words: str) -> str:
    who = ("-c", "user.name=somebody", "-c", "user.email=somebody@example.org")
    own = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    done = subprocess.run(["git", *who, *words], cwd=folder, env=own, capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A repository that looks like ours, with one commit."""
    folder = tmp_path / "clone"
    (folder / "setbench").mkdir(parents=True)
    (folder / "setbench" / "__init__.py").write_text("")
    git(folder, "init", "--quiet")
    git(folder, "add", ".")
    git(folder, "commit", "--quiet", "--message", "first")
    return folder


def commit(folder: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[str, bool]:
    """What a record says whose code lies in this folder."""
    monkeypatch.setattr(machine, "REPOSITORY", folder)
    return machine.commit.__wrapped__()


def test_a_checkout_gives_its_commit(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    head = git(checkout, "rev-parse", "HEAD")[:12]
    assert commit(checkout, monkeypatch) == (head, False)
    (checkout / "setbench" / "__init__.py").write_text("changed = True")
    assert commit(checkout, monkeypatch) == (head, True)


def test_results_are_no_code(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (checkout / "results").mkdir()
    (checkout / "results" / "page.md").write_text("old")
    git(checkout, "add", ".")
    git(checkout, "commit", "--quiet", "--message", "results")
    (checkout / "results" / "page.md").write_text("new")
    assert commit(checkout, monkeypatch) == (git(checkout, "rev-parse", "HEAD")[:12], False)


def test_two_commits_compute_alike_where_pages_alone_differ(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "REPOSITORY", checkout)
    heads = [git(checkout, "rev-parse", "HEAD")]
    for name in ("README.md", "setbench/sets.py"):
        (checkout / name).write_text("changed = True")
        git(checkout, "add", ".")
        git(checkout, "commit", "--quiet", "--message", name)
        heads.append(git(checkout, "rev-parse", "HEAD"))
    first, page, code = heads
    assert machine.same_code(first, page)
    assert not machine.same_code(page, code)
    assert not machine.same_code("0123456789ab", code)
    assert not machine.same_code("", code)
    assert machine.same_code("", "")


def test_a_repository_around_the_code_is_not_ours(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An environment lies in it, or a copy of our code."""
    package = checkout / "env" / "site-packages" / "setbench"
    (package / "setbench").mkdir(parents=True)
    assert commit(package, monkeypatch) == ("", False)
    (package / "setbench" / "__init__.py").write_text("")
    assert commit(package, monkeypatch) == ("", False)


def test_a_repository_of_something_else_is_not_ours(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (checkout / "setbench" / "__init__.py").unlink()
    assert commit(checkout, monkeypatch) == ("", False)


def test_a_hook_of_another_repository_does_not_lend_its_commit(
    checkout: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Git tells its hooks their repository by variables, which a run started from a hook inherits."""
    bare = tmp_path / "unpacked"
    (bare / "setbench").mkdir(parents=True)
    (bare / "setbench" / "__init__.py").write_text("")
    monkeypatch.setenv("GIT_DIR", str(checkout / ".git"))
    assert commit(bare, monkeypatch) == ("", False)


def test_without_git_there_is_no_commit(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    assert commit(checkout, monkeypatch) == ("", False)


def test_the_version_is_told() -> None:
    assert machine.versions()["setbench"] == setbench.__version__


CORES, MEMORY = 64, 2**37
"""Of the made-up host."""

TREES = {
    "none": ("", {}, CORES, MEMORY),
    "v2, the container's own": ("0::/\n", {"cpu.max": "250000 100000", "memory.max": "4294967296"}, 2, 2**32),
    "v2, no limit": ("0::/\n", {"cpu.max": "max 100000", "memory.max": "max"}, CORES, MEMORY),
    "v2, less than a core": ("0::/\n", {"cpu.max": "50000 100000"}, 1, MEMORY),
    "v2, a group within groups": (
        "0::/slice/scope\n",
        {
            "slice/cpu.max": "300000 100000",
            "slice/scope/cpu.max": "max 100000",
            "slice/memory.max": "max",
            "slice/scope/memory.max": "1073741824",
        },
        3,
        2**30,
    ),
    "v2, the outer group has less": (
        "0::/slice/scope\n",
        {"slice/memory.max": "1073741824", "slice/scope/memory.max": "4294967296"},
        CORES,
        2**30,
    ),
    "v2, another period": ("0::/\n", {"cpu.max": "200000 50000"}, 4, MEMORY),
    "v2, the host's name for it": ("0::/../../docker/abc\n", {"cpu.max": "200000 100000"}, 2, MEMORY),
    "v1": (
        "4:memory:/\n3:cpu,cpuacct:/\n",
        {
            "cpu/cpu.cfs_quota_us": "400000",
            "cpu/cpu.cfs_period_us": "100000",
            "memory/memory.limit_in_bytes": "2147483648",
        },
        4,
        2**31,
    ),
    "v1, no limit": (
        "4:memory:/\n3:cpu,cpuacct:/\n",
        {
            "cpu/cpu.cfs_quota_us": "-1",
            "cpu/cpu.cfs_period_us": "100000",
            "memory/memory.limit_in_bytes": "9223372036854771712",
        },
        CORES,
        MEMORY,
    ),
    "v1, a group within": (
        "4:memory:/docker/abc\n3:cpuacct,cpu:/docker/abc\n",
        {
            "cpu/docker/abc/cpu.cfs_quota_us": "100000",
            "cpu/docker/abc/cpu.cfs_period_us": "50000",
            "memory/docker/abc/memory.limit_in_bytes": "1073741824",
        },
        2,
        2**30,
    ),
    "v1, the container sees the host's name and its own root": (
        "4:memory:/docker/abc\n",
        {"memory/memory.limit_in_bytes": "1073741824"},
        CORES,
        2**30,
    ),
    "both, as on hosts between the two": (
        "9:name=systemd:/\n4:memory:/job\n0::/\n",
        {"memory/job/memory.limit_in_bytes": "1073741824", "unified/cgroup.procs": "1"},
        CORES,
        2**30,
    ),
    "nonsense": ("0::/\n", {"cpu.max": "many", "memory.max": "", "cpu.cfs_quota_us": "0"}, CORES, MEMORY),
}


@pytest.mark.parametrize("name", TREES)
def test_no_more_than_the_containers_share(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own, files, cores, memory = TREES[name]
    tree = tmp_path / "cgroup"
    for path, text in files.items():
        (tree / path).parent.mkdir(parents=True, exist_ok=True)
        (tree / path).write_text(text + "\n")
    (tmp_path / "own").write_text(own)
    monkeypatch.setattr(machine, "CONTROL_GROUP", tree)
    monkeypatch.setattr(machine, "OWN_GROUPS", tmp_path / "own" if own else tmp_path / "nowhere")
    monkeypatch.setattr(machine.os, "sched_getaffinity", lambda pid: range(CORES), raising=False)
    monkeypatch.setattr(machine.psutil, "virtual_memory", lambda: SimpleNamespace(total=MEMORY))
    assert (machine.cores(), machine.memory_bytes()) == (cores, memory)
    assert machine.machine().cores == cores


@pytest.mark.parametrize(("own", "kind"), [("Some Processor", "x86_64"), ("", "arm64")])
def test_without_a_list_of_processors_the_system_is_asked(own: str, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(*_: Any, **__: Any) -> Any:
        raise OSError

    monkeypatch.setattr("pathlib.Path.read_text", absent)
    monkeypatch.setattr("platform.processor", lambda: own)
    monkeypatch.setattr("platform.machine", lambda: kind)
    assert machine.processor.__wrapped__() == (own or kind)  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("build", "why"), [("2.9.0+cpu", "torch 2.9.0+cpu is a CPU build"), ("2.9.0", "no NVIDIA driver is loaded")]
)
def test_why_there_is_no_cuda(build: str, why: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "version", lambda package: build)
    monkeypatch.setattr("pathlib.Path.exists", lambda path: False)
    with pytest.raises(ValueError, match=f"--device cuda: {re.escape(why)}; use --device cpu, or auto"):
        machine.device_kind("cuda")
    assert machine.device_kind("auto") == machine.device_kind("cpu") == "cpu"
