"""A whole run: plan, prepare data, run what is missing, record it. The command line and Python both end here.

Imports no torch: only the cells' own processes do.
"""

from __future__ import annotations

import json
import shlex
import statistics
import sys
import time
from collections.abc import Generator, Iterator, Sequence
from contextlib import ExitStack, closing, suppress
from dataclasses import asdict
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from setbench.bench.plan.cells import Cell, Request, asked_tasks, plan
from setbench.bench.plan.code import row_code, row_modules
from setbench.bench.plan.estimate import Estimate, human
from setbench.bench.plan.presets import Preset, load
from setbench.bench.plan.shards import cells_of
from setbench.bench.records import event_files
from setbench.bench.records.checkpoints import Checkpoint
from setbench.bench.records.machine import commit, cores, device_kind, machine, memory_bytes, processor, versions
from setbench.bench.records.predictions import save as save_predictions
from setbench.bench.records.predictions import save_items
from setbench.bench.records.record import Machine, ModelText, Record, Status, TaskText
from setbench.bench.records.store import Store
from setbench.bench.runner.cluster import Cluster
from setbench.bench.runner.endings import Outcome
from setbench.bench.runner.execute import Job, Pool
from setbench.bench.runner.options import Options
from setbench.bench.runner.processes import preload
from setbench.bench.runner.progress import Progress
from setbench.files import error_line, write_atomically
from setbench.options import UnknownName
from setbench.plugins import plug_in
from setbench.tasks.catalogue import TASKS

CHECKPOINT_SECONDS, LONG_SECONDS = 60.0, 120.0
"""From one checkpoint to the next; and how long a cell must be estimated to take to have any unasked."""

COMPILER = "torch._dynamo"
"""Torch's optimisers import it when they are made, at two seconds a process; preloaded, it costs them nothing."""


class Run:
    """A planned run.

    Raises at construction, with one clear line:
        ValueError: an unknown name, a device that is not there, a number out of range.
    """

    def __init__(self, options: Options) -> None:
        self.options = options
        self.plugins = [plug_in(path) for path in options.plugins]
        self.cluster = Cluster(options) if options.engine == "ray" else None
        self.device = self.cluster.device if self.cluster else device_kind(options.device)
        if options.precision == "tf32" and self.device == "cpu":
            raise ValueError("--precision tf32: a CPU has no TF32; use float32 or bf16, or --device cuda")
        here = options.jobs or (cores() if self.device == "cpu" else 1)
        self.jobs = self.cluster.slots() if self.cluster else here
        preset = load(options.preset).with_settings(options.set).shortened(options.shorten)
        self.request = Request(
            tasks=_tasks(options, preset),
            seeds=options.seeds,
            preset=preset,
            device=self.device,
            data=options.data,
            cache=options.cache,
            threads=options.threads,
            precision=options.precision,
            encoders=options.models,
            decoders=options.decoders,
        )
        if options.tensorboard:
            event_files.require()
        self.deadline, self.left = float("inf"), 0
        self.outside: list[float] = []
        whole = plan(self.request)
        self.cells = cells_of(options.shard, whole) if options.shard else whole
        self.progress = Progress()
        self.store = Store(options.results, self.progress.say)
        self.records = {record.id: record for record in self.store.all()}
        self.missing = [cell for cell in self.cells if self.wanted(cell)]

    def refuse_to_tune(self) -> None:
        """Raises ValueError, in one line, where trials cannot be what this run is."""
        if self.options.shard:
            raise ValueError("--shard: --tune compares all trials of a row; leave one of the two out")
        if self.options.shorten > 1:
            raise ValueError("--shorten: --tune has lengths of its own; leave one of the two out")

    def stale(self, cell: Cell) -> bool:
        """Whether a cell's record was made by other code than there is now."""
        record = self.records.get(cell.identity)
        return record is not None and not cell.blocked and record.code != code_of(cell)

    def wanted(self, cell: Cell) -> bool:
        """Whether a cell is still to run."""
        record = self.records.get(cell.identity)
        if record is None or record.status is Status.NO_DATA or (self.options.rerun and self.stale(cell)):
            return True
        if record.status is Status.KILLED and self.checkpoint(cell).path.exists():
            return True
        return self.options.retry_failed and record.status.retryable

    @cached_property
    def estimate(self) -> Estimate:
        """By the records that there were before this run."""
        return Estimate(list(self.records.values()), processor())

    def checkpoint(self, cell: Cell) -> Checkpoint:
        """Where a cell's state is kept while it trains, and how often."""
        path = self.store.folder / "checkpoints" / f"{cell.identity}.pt"
        return Checkpoint(path, cell.identity, code_of(cell), self._every(cell))

    def _every(self, cell: Cell) -> float:
        """Seconds from one checkpoint to the next: as asked, else a minute where the cell is a long one."""
        if self.options.checkpoint is not None:
            return self.options.checkpoint
        if self.options.time_budget is not None:  # whatever a cell is estimated at: the budget may end it anywhere
            return min(CHECKPOINT_SECONDS, self.options.time_budget / 4)
        seconds = 0.0 if cell.constant else self.estimate.cell(cell)
        return CHECKPOINT_SECONDS if seconds is None or seconds > LONG_SECONDS else float("inf")

    def unprepared(self) -> list[tuple[str, str]]:
        """(preset, task) of the data that this machine has not prepared yet."""
        tasks = {cell.data_name: cell for cell in self.missing if not cell.blocked}
        return [(cell.preset, cell.task) for name, cell in tasks.items() if not self._marker(name).exists()]

    def _marker(self, name: str) -> Path:
        return self.options.cache / "prepared" / f"{name}.json"

    def seconds(self) -> float:
        """The estimate for what is missing, as far as there is one."""
        return self.estimate.total(self.missing, self.unprepared(), self.jobs)

    def execute(self) -> bool:
        """Run what is missing, writing a record a cell; True if every cell that was tried is ok.

        A cell that another run on the same folder has in hand is left to it. ``left`` is how many cells the time budget
        was too short for.
        """
        start = time.perf_counter()
        if self.options.time_budget is not None and self.deadline == float("inf"):  # one budget for rounds of trials
            self.deadline = start + self.options.time_budget
        expected = self.seconds()
        self.progress.begin(len(self.missing), expected, self.estimate.unknown(self.missing))
        healthy, tried = True, 0
        try:
            with closing(self._run_all()) as records:
                for record in records:
                    tried += 1
                    self.records[record.id] = record
                    self.progress.finished(record)
                    healthy = healthy and not record.status.retryable
                    if not healthy and self.options.fail_fast:
                        break
        finally:
            self.progress.end()
        if self.out_of_time() and tried < len(self.missing):
            self.left = len(self.missing) - tried
            spent = f"the time budget of {human(self.options.time_budget or 0)} is spent"
            self.progress.say(f"{spent}; cells left: {self.left}; the same command goes on")
        self._drop_outdated()
        gone = sum(not self.store.has(identity) for identity in self.records)
        if gone:
            self.progress.say(f"{gone} records are gone from {self.store.folder}; the same command runs them again")
        self.progress.say(
            f"estimated {human(expected)}, took {human(time.perf_counter() - start)} for {len(self.missing)} cells"
        )
        if len(self.outside) > 1:
            each = statistics.median(self.outside[1:])
            self.progress.say(f"outside training, evaluation and measuring: {each:.2f} s a cell, the first aside")
        return healthy

    def out_of_time(self) -> bool:
        """Whether the run's time budget is spent."""
        return time.perf_counter() >= self.deadline

    def _drop_outdated(self) -> None:
        """Records that data were not there, of cells of which there is a newer one on other data: the user's have been
        mended, or other ones are damaged now."""
        planned = {cell.identity for cell in self.cells}
        known = {record.apart_from_data for record in self.results()}
        for record in list(self.records.values()):
            outdated = record.status is Status.NO_DATA and record.id not in planned
            if outdated and record.apart_from_data in known:
                self.store.remove(record.id)
                del self.records[record.id]

    def _run_all(self) -> Generator[Record]:
        for cell in self.missing:
            if cell.blocked:
                yield self._record(cell, Outcome(*cell.blocked), 0.0)
        runnable = [cell for cell in self.missing if not cell.blocked]
        self.preload(runnable)
        here = Pool(self.jobs, self.options.time_limit, self._memory_limit(), self.options.threads)
        ready: list[Cell] = []
        for name, cells in _by_data(runnable).items():
            if self.out_of_time():
                return
            problem = self._prepare(name, cells[0])
            if problem is not None:
                for cell in cells:
                    yield self._record(cell, problem, 0.0)
                continue
            if self.cluster is None:
                yield from self._run_cells(here, cells)
            else:  # all at once: a node gets a cell's data ready before it
                ready += cells
        if self.cluster is not None:
            yield from self._run_cells(self.cluster, ready)

    def preload(self, cells: Sequence[Cell]) -> None:
        """Have the processes that these cells will run in import what they need, once."""
        modules = ["setbench.bench.cell.work", COMPILER, *_modules(cells)]
        if self.cluster:
            self.cluster.preload(modules)
        else:
            preload(modules, self.plugins)

    def _memory_limit(self) -> int | None:
        """Bytes a cell: as asked, else nine tenths of the machine's memory shared among the jobs."""
        if self.options.memory_limit is not None:
            return int(self.options.memory_limit * 2**30)
        return int(0.9 * memory_bytes() / self.jobs) if self.device == "cpu" else None

    def _prepare(self, name: str, cell: Cell) -> Outcome | None:
        """Get the data ready, in a process of its own with all cores; the outcome where that failed. The nodes of a
        cluster do it themselves."""
        try:
            reason = TASKS[cell.task].unavailable(cell.settings.task_options, self.options.data)
        except Exception as error:  # a plugin's task may do anything
            return Outcome(Status.FAILED, f"asked for its data, the task raised {error_line(error)}")
        if reason is not None:
            return Outcome(Status.NO_DATA, reason)
        if self.cluster is not None:
            return None
        pool = Pool(1, threads=cores())
        job = Job(name, "setbench.bench.cell.work:prepare", (cell, self.options.cache, self.options.data))
        for event in pool.run(iter([job])):
            if event.kind == "progress":
                self.progress.preparing(cell.task, event.value, event.done)
            elif event.kind == "ended" and event.outcome is not None:
                if event.outcome.status is not Status.OK:
                    return event.outcome
                if not self._marker(name).exists():
                    text = json.dumps({"key": f"{cell.preset}/{cell.task}/(data)", "seconds": event.outcome.result})
                    with suppress(OSError):  # a cache that is full: the next run's estimate is a little less good
                        write_atomically(self._marker(name), text)
        return None

    def _run_cells(self, pool: Pool | Cluster, cells: Sequence[Cell]) -> Iterator[Record]:
        by_id = {cell.identity: cell for cell in cells}
        claims: dict[str, ExitStack] = {}
        with ExitStack() as all_claims, closing(pool.run(self._jobs(cells, claims, all_claims))) as events:
            for event in events:
                cell = by_id[event.key]
                if event.kind == "started":
                    self.progress.started(event.key, str(cell))
                elif event.kind == "progress":
                    self.progress.advanced(event.key, event.done, event.value)
                elif event.outcome is not None:
                    record = self._record(cell, event.outcome, event.seconds, event.machine)
                    claims.pop(event.key).close()
                    yield record
                if self.out_of_time():  # leaving ends what runs; its checkpoints stay
                    return

    def _jobs(self, cells: Sequence[Cell], claims: dict[str, ExitStack], all_claims: ExitStack) -> Iterator[Job]:
        for cell in cells:
            if self.out_of_time():
                return
            claim = all_claims.enter_context(ExitStack())
            if not claim.enter_context(self.store.claim(cell.identity)):
                self.progress.say(f"{cell}: another run on this folder has it in hand")
                continue
            stored = self.store.read(cell.identity)
            if stored is not None and stored != self.records.get(cell.identity):
                claim.close()
                self.progress.say(f"{cell}: another run on this folder has finished it")
                self.records[cell.identity] = stored
                continue
            claims[cell.identity] = claim
            checkpoint = self.checkpoint(cell)
            try:
                checkpoint.read()
            except ValueError as error:
                checkpoint.remove()
                self.progress.say(f"{cell}: begins again, its checkpoint is not used: {error}")
            arguments = (cell, self.options.cache, self.options.data, checkpoint)
            yield Job(cell.identity, "setbench.bench.cell.work:measure", arguments)

    def _record(self, cell: Cell, outcome: Outcome, seconds: float, where: Machine | None = None) -> Record:
        """Assemble and store the record of a cell, of this machine or another: the one place that does."""
        begin = time.perf_counter()
        measured, kept = outcome.result or (None, None)
        if measured is not None and measured.time is not None:
            seconds = max(seconds, measured.time.wall)  # from a checkpoint: the seconds before it count
        task = TASKS[cell.task]
        record = Record(
            id=cell.identity,
            status=outcome.status,
            reason=outcome.reason,
            traceback=outcome.traceback,
            task=cell.task,
            row=cell.row,
            encoder=cell.encoder,
            decoder=cell.decoder,
            options={kind: dict(options) for kind, options in cell.options.items()},
            constant=cell.constant,
            seed=cell.seed,
            split=cell.split,
            task_text=TaskText(asks=task.asks, good=task.good, group=task.group, order=list(TASKS).index(cell.task)),
            model=_model_text(cell),
            preset=cell.preset,
            device=cell.device,
            threads=cell.threads,
            precision=cell.precision,
            settings=asdict(cell.settings),
            tuned=cell.tuned,
            data_key=cell.data_key,
            seconds=seconds,
            measured=measured,
            machine=where or machine(),
            versions=versions(),
            code=code_of(cell),
            commit=commit()[0],
            dirty=commit()[1],
            command=self.options.command,
            finished=datetime.now(UTC).isoformat(timespec="seconds"),
        )
        self.store.write(record)
        if self.options.tensorboard:
            event_files.log(record, self.options.results)
        if record.status is not Status.KILLED:
            self.checkpoint(cell).remove()
        if kept is not None:
            save_items(self.options.results, cell.identity, kept.items)
            if kept.predictions is not None:
                save_predictions(self.options.results, cell.identity, *kept.predictions)
        if record.outside is not None:
            self.outside.append(record.outside + time.perf_counter() - begin)
        return record

    def report(self) -> list[Record]:
        """Write the leaderboard of all records in the results folder, which it returns. Two runs on one folder write
        one after the other: each removes the figures that its records do not ask for."""
        from setbench.bench.report import write_report

        with self.store.claim("report", wait=True):
            records = self.store.all()
            write_report(records, self.options.results, predictions=self.options.figures)
            for record in records if self.options.tensorboard else ():  # those of earlier runs too
                event_files.log(record, self.options.results)
        return records

    def results(self) -> list[Record]:
        """The records of the planned cells that there are."""
        return [self.records[cell.identity] for cell in self.cells if cell.identity in self.records]


def _tasks(options: Options, preset: Preset) -> list[tuple[Any, dict[str, Any]]]:
    """The tasks that were asked for, each with the options that were asked of it: its own above those for all.

    Where no models are named, a preset of published rows runs on the tasks that it has rows for, and refuses others.
    """
    usual = list(TASKS) if preset.on is None or options.models is not None else preset.on
    asked = asked_tasks(options.tasks or usual)
    for task, _ in asked:
        if task.name not in usual:
            raise UnknownName(
                f"--tasks {task.name}: the {preset.name} preset has no published rows on it; name some with --models"
            )
    for name in options.task_options:
        if not any(name in task.options for task, _ in asked):
            raise UnknownName(f"--{name.replace('_', '-')}: no task that was asked for has this option")
    return [
        (task, {**{name: value for name, value in options.task_options.items() if name in task.options}, **given})
        for task, given in asked
    ]


def code_of(cell: Cell) -> str:
    """The hash of the code that would make this cell's numbers now."""
    return row_code(cell.task, (cell.encoder, cell.decoder), cell.settings.image_encoder)


def _model_text(cell: Cell) -> ModelText:
    if cell.model is None:
        return ModelText()
    entry = cell.model.entry
    claim = entry.invariance if entry.kind != "decoder" else ""
    return ModelText(
        paradigm=entry.paradigm, section=entry.section, paper=entry.paper, invariance_claim=claim, why=entry.why
    )


def _by_data(cells: Sequence[Cell]) -> dict[str, list[Cell]]:
    groups: dict[str, list[Cell]] = {}
    for cell in cells:
        groups.setdefault(cell.data_name, []).append(cell)
    return groups


def _modules(cells: Sequence[Cell]) -> list[str]:
    """Modules that these cells need, for the forkserver to import once."""
    return sorted({module for cell in cells for module in row_modules(cell.task, (cell.encoder, cell.decoder))})


def command_line() -> str:
    """The command as it was typed, for the records."""
    module = sys.modules["__main__"].__spec__  # of python -m MODULE
    script = Path(sys.argv[0]).name
    typed = ["python", "-m", module.name] if module else ["python", script] if script.endswith(".py") else [script]
    return shlex.join([*typed, *sys.argv[1:]])


def program() -> str:
    """The command's name as it was typed: ``setbench`` where that was it, else ``run_all.py``."""
    return "setbench" if Path(sys.argv[0]).name == "setbench" else "run_all.py"
