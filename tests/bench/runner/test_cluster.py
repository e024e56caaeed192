"""The same plan on a Ray cluster of two nodes gives the same records, though one of them is lost in the middle."""

from __future__ import annotations

import platform
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psutil
import pytest
from runs_for_tests import DECODERS, MODELS, TASKS, numbers, options

from setbench.bench.records.machine import machine
from setbench.bench.records.predictions import load_items
from setbench.bench.records.record import Record, Status
from setbench.bench.records.store import Store
from setbench.bench.runner.cluster import Cluster, Work, facts, on_node
from setbench.bench.runner.driver import Run
from setbench.bench.runner.endings import Outcome
from setbench.bench.runner.execute import Event, Job

ROOT = Path(__file__).parents[3]

PLUGIN = '''
"""Deep Sets that notes where it is made. On the node that will be lost it stays, elsewhere it waits for that one."""
import os, time
from pathlib import Path
import psutil
from setbench.models.catalogue import register
from setbench.models.entry import Entry
from setbench.models.permuting.deep_sets import DeepSets


class Slow(DeepSets):
    def __init__(self, *given, **more):
        super().__init__(*given, **more)
        node = next(str(one.pid) for one in psutil.Process().parents() if one.name() == "raylet")
        with open(NOTES, "a") as notes:
            notes.write(f"{node} {os.getpid()}\\n")
        end = time.monotonic() + 60
        while time.monotonic() < end and (node == SECOND or SECOND not in Path(NOTES).read_text().split()):
            time.sleep(0.05)


register(Entry(name="slow", target=__name__ + ":Slow", kind="encoder", paradigm="permuting", section="Control",
               paper="", summary="made up for a test"))
'''


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Two nodes of one core; the second is known by its raylet's process."""
    try:
        from ray.cluster_utils import Cluster as Nodes
    except ImportError:
        pytest.skip("needs Ray: pip install 'setbench[ray]'")
    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    small = {"num_cpus": 1, "object_store_memory": 80 * 2**20}
    nodes = Nodes(initialize_head=True, head_node_args={**small, "include_dashboard": False})
    node = nodes.add_node(**small)
    second = str(node.all_processes["raylet"][0].process.pid)
    yield SimpleNamespace(address=nodes.address, second=second, lose=lambda: nodes.remove_node(node, False))
    nodes.shutdown()


def places(notes: Path) -> list[list[str]]:
    """[node, process] of every time that the slow model was made."""
    return [line.split() for line in notes.read_text().splitlines()] if notes.exists() else []


def test_a_cluster_that_loses_a_node_makes_the_same_records(
    cluster: Any, finished: tuple[Path, list[Record]], tmp_path: Path
) -> None:
    notes, plugin = tmp_path / "notes.txt", tmp_path / "slow_plugin.py"
    plugin.write_text(PLUGIN.replace("NOTES", repr(str(notes))).replace("SECOND", repr(cluster.second)))
    words = [
        *("--engine", "ray", "--address", cluster.address, "--preset", "smoke", "--device", "cpu"),
        *("--tasks", *TASKS, "--models", "slow", *MODELS, "--decoders", *DECODERS),
        *("--results", tmp_path / "results", "--cache", tmp_path / "cache", "--plugin", plugin),
    ]
    run = subprocess.Popen([sys.executable, ROOT / "run_all.py", *map(str, words)], cwd=ROOT, stderr=subprocess.PIPE)
    while not any(node == cluster.second for node, _ in places(notes)) and run.poll() is None:
        time.sleep(0.05)
    cluster.lose()
    said = run.communicate()[1].decode()
    assert run.returncode == 0, said
    records = {record.id: record for record in Store(tmp_path / "results", pytest.fail).all()}
    assert Counter(record.status for record in records.values()) == {"ok": len(finished[1]) + 2}
    assert [node == cluster.second for node, _ in places(notes)].count(True) == 1
    assert len(places(notes)) == 3  # two cells of the slow model, one of which began twice
    assert not any(psutil.pid_exists(int(process)) for _, process in places(notes))
    for record in finished[1]:
        assert numbers(records[record.id]) == numbers(record)
        assert records[record.id].machine == machine()
        kept, here = (load_items(at / "results", record.id) for at in (tmp_path, finished[0]))
        assert {name: (scores == here[name]).all() for name, scores in kept.items()} == dict.fromkeys(here, True)
    assert all(0 < record.seconds < 60 for record in records.values())


def measuring(folder: Path, **changes: Any) -> Work:
    """The work of the first cell of a small run, as if sent from here."""
    run = Run(options(folder, tasks=["arithmetic_sum"], **changes))
    cell = run.cells[1]
    arguments = (cell, run.options.cache, run.options.data, None)
    return Work(Job(cell.identity, "setbench.bench.cell.work:measure", arguments), run.options, (), facts(cell))


def test_a_node_gets_the_data_ready_and_says_where_it_is(forkserver: None, tmp_path: Path) -> None:
    outcome, seconds, where = on_node(measuring(tmp_path))
    assert outcome.status == "ok", outcome
    assert where == machine()
    assert where.host not in ("", platform.node())  # a hash of it
    assert seconds > 0


@pytest.mark.parametrize("what", ["torch", "code"])
def test_a_node_with_other_code_or_versions_is_told_apart(forkserver: None, tmp_path: Path, what: str) -> None:
    work = measuring(tmp_path)
    outcome, *_ = on_node(replace(work, facts={**work.facts, what: "0.1"}))
    assert outcome.status == "failed"
    assert f"has {what} {work.facts[what]} and not 0.1: all machines need the same" in outcome.reason


def test_a_node_keeps_the_limits(forkserver: None, tmp_path: Path) -> None:
    outcome, *_ = on_node(measuring(tmp_path, time_limit=0.5, set={"steps": 1_000_000}))
    assert outcome.status == "timed_out"


def test_a_record_names_the_machine_of_its_node_and_the_seconds_there(tmp_path: Path) -> None:
    there = machine().model_copy(update={"cpu": "another", "host": "node7"})

    class Lost:
        def preload(self, modules: list[str]) -> None:
            assert "setbench.bench.cell.work" in modules

        def run(self, jobs: Iterator[Job]) -> Iterator[Event]:
            for job in jobs:
                yield Event("started", job.key)
                outcome = Outcome(Status.KILLED, "lost")
                yield Event("ended", job.key, outcome=outcome, seconds=1.5, machine=there)

    run = Run(options(tmp_path, tasks=["arithmetic_sum"]))
    run.cluster = Lost()  # type: ignore[assignment]
    assert not run.execute()
    found = [
        (record.status, record.machine, record.seconds) for record in Store(run.options.results, pytest.fail).all()
    ]
    assert found == [("killed", there, 1.5)] * len(run.cells)


def nodes(*found: tuple[bool, float, float]) -> SimpleNamespace:
    """A Ray with nodes of (alive, cores, GPUs)."""
    resources = [{"Alive": alive, "Resources": {"CPU": cores, "GPU": gpus}} for alive, cores, gpus in found]
    return SimpleNamespace(init=lambda *_, **__: None, nodes=lambda: resources)


@pytest.mark.parametrize(
    ("changes", "device", "slots"),
    [
        ({"device": "cpu"}, "cpu", 16 + 7),
        ({"device": "cpu", "threads": 4}, "cpu", 4 + 1),
        ({"device": "auto"}, "cuda", 4),
        ({"device": "cuda", "threads": 8}, "cuda", 2),
        ({"device": "cpu", "jobs": 3}, "cpu", 3),
    ],
)
def test_cells_at_once_are_as_many_as_fit_on_each_node(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, changes: dict[str, Any], device: str, slots: int
) -> None:
    monkeypatch.setitem(sys.modules, "ray", nodes((True, 16, 4), (True, 7, 0), (False, 64, 8)))
    found = Cluster(options(tmp_path, engine="ray", **{"jobs": None, **changes}))
    assert (found.device, found.slots()) == (device, slots)


def test_what_is_wrong_with_a_cluster_is_one_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def refused(**changes: Any) -> str:
        with pytest.raises(ValueError, match=r"^--(engine ray|address)\b.*$") as error:
            Run(options(tmp_path, engine="ray", **changes))
        return str(error.value)

    with monkeypatch.context() as no_ray:
        no_ray.setitem(sys.modules, "ray", None)
        assert "pip install 'setbench[ray]'" in refused()
    monkeypatch.setitem(sys.modules, "ray", nodes((True, 2, 0)))
    for address in ("127.0.0.1:1", "nowhere:", "nowhere:x", "127.0.0.1:99999"):
        assert f"{address}: no Ray cluster can be reached" in refused(address=address)
    assert "no node at auto has 3 cores" in refused(threads=3)
    assert "no node at auto has a core and a GPU" in refused(device="cuda")
