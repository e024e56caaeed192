"""``--engine ray``: jobs on the nodes of a Ray cluster. Imports no torch; Ray where it is asked for.

On its node a job goes the way it goes on one machine: a process of its own, from a forkserver, with the same limits and
the same endings. So a record of a cluster is that of a local run, but for times, memory and machine.
"""

from __future__ import annotations

import logging
import platform
import socket
import sys
import time
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from filelock import FileLock

from setbench.bench.plan.cells import Cell
from setbench.bench.plan.code import row_code
from setbench.bench.records.machine import cores, machine, memory_bytes, versions
from setbench.bench.records.record import Machine, Status
from setbench.bench.runner.endings import Outcome
from setbench.bench.runner.execute import Event, Job, Pool
from setbench.bench.runner.options import Options
from setbench.bench.runner.processes import preload
from setbench.files import error_line, one_line
from setbench.plugins import plug_in

RETRIES = 3
"""How often a job is begun again whose node was lost."""
REACH_SECONDS = 5.0
POLL_SECONDS = 0.2


@dataclass(frozen=True)
class Work:
    """A job as it is sent to a node: with what the node must do before, and what must be the same there as here."""

    job: Job
    options: Options
    modules: Sequence[str]
    facts: dict[str, str]


class Cluster:
    """Runs jobs as :class:`setbench.bench.runner.execute.Pool` does, on the nodes of a Ray cluster: ``threads`` cores a
    job, and on CUDA a GPU. Jobs are those of cells: their arguments begin with cell, cache and data.

    Raises:
        ValueError: Ray is not installed, there is no cluster at the address, or no node that could run a cell.
    """

    def __init__(self, options: Options) -> None:
        self.options = options
        self.modules: Sequence[str] = ()
        self.address = options.address or "auto"
        self._connect()
        self.device = options.device if options.device != "auto" else "cuda" if self._slots("cuda") else "cpu"
        if not self.slots():
            cell = f"{options.threads} cores" if options.threads > 1 else "a core"
            raise ValueError(
                f"--engine ray: no node at {self.address} has {cell}" + " and a GPU" * (self.device == "cuda")
            )

    def _connect(self) -> None:
        try:
            import ray
        except ImportError:
            raise ValueError("--engine ray: Ray is not installed; pip install 'setbench[ray]'") from None
        host, colon, port = self.address.removeprefix("ray://").rpartition(":")
        try:
            if colon:  # Ray itself would try for a minute
                socket.create_connection((host.strip("[]"), int(port)), REACH_SECONDS).close()
            ray.init(self.address, ignore_reinit_error=True, logging_level=logging.ERROR, log_to_driver=False)
        except (OSError, RuntimeError, ValueError, OverflowError) as error:
            raise ValueError(f"--address {self.address}: no Ray cluster can be reached: {one_line(error)}") from None

    def slots(self) -> int:
        """Cells that the nodes there are now run at once; no more than ``--jobs``."""
        there = self._slots(self.device)
        return min(self.options.jobs or there, there)

    def _slots(self, device: str) -> int:
        import ray

        found = [node["Resources"] for node in ray.nodes() if node["Alive"]]
        fit = [int(one.get("CPU", 0)) // self.options.threads for one in found]
        gpus = [int(one.get("GPU", 0)) if device == "cuda" else sys.maxsize for one in found]
        return sum(map(min, fit, gpus))

    def preload(self, modules: Sequence[str]) -> None:
        """Have the nodes import these modules once, for all jobs."""
        self.modules = modules

    def run(self, jobs: Iterator[Job]) -> Generator[Event]:
        """Run all jobs, yielding what happens as it happens; closing the iterator stops them.

        No more are sent than there is room for, as nodes come and go. A job whose node is lost begins again on another.
        """
        import ray

        remote: Any = ray.remote(
            num_cpus=self.options.threads, num_gpus=int(self.device == "cuda"), max_retries=RETRIES
        )(on_node)
        running: dict[Any, Job] = {}
        exhausted = False
        try:
            while True:
                while not exhausted and len(running) < max(1, self.slots()):
                    job = next(jobs, None)
                    if job is None:
                        exhausted = True
                        break
                    running[remote.remote(self._work(job))] = job
                    yield Event("started", job.key)
                if not running:
                    return
                time.sleep(POLL_SECONDS)  # in Ray's own wait SIGTERM could not be told from Ctrl-C
                for done in ray.wait(list(running), num_returns=len(running), timeout=0)[0]:
                    yield _ended(running.pop(done).key, done)
        finally:
            for left in running:
                ray.cancel(left, force=True)

    def _work(self, job: Job) -> Work:
        cell, cache, data, _ = job.arguments  # a checkpoint lies on the driver's machine
        return Work(
            replace(job, arguments=(cell, cache.resolve(), data and data.resolve(), None)),
            replace(self.options, plugins=[path.resolve() for path in self.options.plugins]),
            self.modules,
            facts(cell),
        )


def _ended(key: str, done: Any) -> Event:
    """How a job ended, whatever became of its node."""
    import ray

    try:
        outcome, seconds, where = ray.get(done)
    except ray.exceptions.RayTaskError as error:  # what the node did around the job, not the job itself
        return Event("ended", key, outcome=Outcome(Status.FAILED, error_line(error.cause), str(error)))
    except ray.exceptions.RayError as error:
        lost = Outcome(Status.KILLED, f"the cluster lost it, {RETRIES + 1} times: {error_line(error)}")
        return Event("ended", key, outcome=lost)
    return Event("ended", key, outcome=outcome, seconds=seconds, machine=where)


def on_node(work: Work) -> tuple[Outcome, float, Machine]:
    """What a node does for a job: get the cell's data ready, unless they are, and run it; the outcome, the seconds of
    the job's process, the machine."""
    options, (cell, cache, data, _) = work.options, work.job.arguments
    preload(work.modules, [plug_in(path) for path in options.plugins])
    here = facts(cell)
    unlike = [f"{name} {here[name]} and not {wanted}" for name, wanted in work.facts.items() if here[name] != wanted]
    if unlike:
        where = machine()
        reason = f"the node {platform.node()} has {', '.join(unlike)}: all machines need the same"
        return Outcome(Status.FAILED, reason), 0.0, where
    lock = Path(cache) / "prepared" / f"{cell.data_name}.lock"
    lock.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(lock):
        ready = Job(work.job.key, "setbench.bench.cell.work:prepare", (cell, cache, data))
        ended = _last(Pool(1, threads=options.threads), ready)
    if ended.outcome is not None and ended.outcome.status is Status.OK:
        ended = _last(Pool(1, options.time_limit, _memory_limit(options, cell), options.threads), work.job)
    assert ended.outcome is not None
    return ended.outcome, ended.seconds, machine()


def _last(pool: Pool, job: Job) -> Event:
    """How one job ended."""
    *_, ended = pool.run(iter([job]))
    return ended


def _memory_limit(options: Options, cell: Cell) -> int | None:
    """Bytes a cell, as in a run on one machine: as asked, else nine tenths of the node's shared among its cells."""
    if options.memory_limit is not None:
        return int(options.memory_limit * 2**30)
    return int(0.9 * memory_bytes() * options.threads / cores()) if cell.device == "cpu" else None


def facts(cell: Cell) -> dict[str, str]:
    """What decides the numbers of a cell beside the cell itself."""
    code = row_code(cell.task, (cell.encoder, cell.decoder), cell.settings.image_encoder)
    return {**versions(), "code": code}
