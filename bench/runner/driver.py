"""A whole run: plan, prepare data, run what is missing, record it, report. The command line and Python both end here.

Imports no torch: only the cells' own processes do.
"""

from __future__ import annotations

import json
import shlex
import sys
import time
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from platformdirs import user_cache_path

from setbench.bench.plan.cells import Cell, Request, plan
from setbench.bench.plan.estimate import Estimate, human
from setbench.bench.plan.presets import load
from setbench.bench.records.machine import commit, cores, device_kind, machine, memory_bytes, processor, versions
from setbench.bench.records.predictions import save as save_pictures
from setbench.bench.records.store import Record, Store, write_atomically
from setbench.bench.runner.execute import Job, Outcome, Pool, preload
from setbench.bench.runner.plugins import plug_in
from setbench.bench.runner.progress import Progress
from setbench.models.catalogue import parse
from setbench.tasks.catalogue import TASKS, find

COMPILER = "torch._dynamo"
"""Torch's optimisers import it when they are made, at two seconds a process; preloaded, it costs them nothing."""

RETRIED = ("failed", "killed", "timed_out", "out_of_memory", "diverged")


@dataclass(frozen=True)
class Options:
    """Everything that a run can be told. The defaults are the command line's.

    ``tasks``, ``models`` and ``decoders`` are names (None: the preset's). ``data`` is the folder of real data;
    ``cache`` holds prepared data; ``time_limit`` is in seconds a cell, ``memory_limit`` in GB a cell; ``jobs`` is
    how many cells run at once (default: the cores on a CPU, 1 on a GPU). ``figures`` draws predictions into the report.
    ``plugins`` are Python files that register models and tasks of their own.
    """

    tasks: Sequence[str] | None = None
    models: Sequence[str] | None = None
    decoders: Sequence[str] | None = None
    seeds: Sequence[int] = (0,)
    preset: str = "quick"
    device: str = "auto"
    results: Path = Path("results/local")
    data: Path | None = None
    clevr: str = "rendered"
    test_on: str = "same"
    cache: Path = field(default_factory=lambda: user_cache_path("setbench"))
    retry_failed: bool = False
    fail_fast: bool = False
    time_limit: float | None = None
    memory_limit: float | None = None
    jobs: int | None = None
    figures: bool = False
    plugins: Sequence[Path] = ()
    command: str = ""

    def __post_init__(self) -> None:
        for name in ("tasks", "models", "decoders"):
            if isinstance(getattr(self, name), str):
                raise ValueError(f"{name} is a list of names, as {name}=[{getattr(self, name)!r}]")
        for name in ("results", "data", "cache"):
            if isinstance(getattr(self, name), str):
                object.__setattr__(self, name, Path(getattr(self, name)))


class Run:
    """A planned run.

    Raises at construction, with one clear line:
        ValueError: an unknown name, a device that is not there, a number out of range.
    """

    def __init__(self, options: Options) -> None:
        self.options = options
        self.plugins = [plug_in(path) for path in options.plugins]
        self.device = device_kind(options.device)
        self.jobs = options.jobs or (cores() if self.device == "cpu" else 1)
        if options.data is not None and not Path(options.data).is_dir():
            raise ValueError(f"--data {options.data}: no such folder; it should hold mnist/ or CLEVR's released layout")
        preset = load(options.preset)
        self.request = Request(
            tasks=list(dict.fromkeys(find(name).name for name in options.tasks)) if options.tasks else list(TASKS),
            seeds=list(dict.fromkeys(options.seeds)),
            preset=preset,
            device=self.device,
            data=options.data,
            task_options=_task_options(options),
            encoders=options.models,
            decoders=options.decoders,
        )
        self.cells = plan(self.request)
        self.progress = Progress()
        self.store = Store(options.results, self.progress.say)
        self.records = {record["id"]: record for record in self.store.all()}
        self.missing = [cell for cell in self.cells if self.wanted(cell)]

    def wanted(self, cell: Cell) -> bool:
        """Whether a cell is still to run."""
        record = self.records.get(cell.identity)
        if record is None or record["status"] == "no_data":
            return True
        return self.options.retry_failed and record["status"] in RETRIED

    def unprepared(self) -> list[tuple[str, str]]:
        """(preset, task) of the data that this machine has not prepared yet."""
        tasks = {_data_name(cell): cell for cell in self.missing if not cell.blocked}
        return [(cell.preset, cell.task) for name, cell in tasks.items() if not self._marker(name).exists()]

    def _marker(self, name: str) -> Path:
        return self.options.cache / "prepared" / f"{name}.json"

    def seconds(self) -> float:
        """The estimate for what is missing."""
        estimate = Estimate(self.records.values(), processor())
        return estimate.total(self.missing, self.unprepared(), self.jobs)

    def execute(self) -> bool:
        """Run what is missing, writing a record a cell; True if every cell that was tried is ok.

        A cell that another run on the same folder has in hand is left to it.
        """
        start = time.perf_counter()
        estimate = Estimate(self.records.values(), processor())
        expected = estimate.total(self.missing, self.unprepared(), self.jobs)
        self.progress.begin(len(self.missing), expected)
        healthy = True
        try:
            with closing(self._run_all(estimate)) as records:
                for record in records:
                    self.records[record["id"]] = record
                    self.progress.finished(record)
                    healthy = healthy and record["status"] not in RETRIED
                    if not healthy and self.options.fail_fast:
                        break
        finally:
            self.progress.end()
        gone = sum(not self.store.path(identity).exists() for identity in self.records)
        if gone:
            self.progress.say(f"{gone} records are gone from {self.store.folder}; the same command runs them again")
        self.progress.say(
            f"estimated {human(expected)}, took {human(time.perf_counter() - start)} for {len(self.missing)} cells"
        )
        return healthy

    def _run_all(self, estimate: Estimate) -> Generator[Record]:
        for cell in self.missing:
            if cell.blocked:
                yield self._record(cell, Outcome(*cell.blocked), 0.0)
        runnable = [cell for cell in self.missing if not cell.blocked]
        preload([*self.plugins, "setbench.bench.cell.work", COMPILER, *_modules(runnable)])
        pool = Pool(self.jobs, self.options.time_limit, self._memory_limit())
        for name, cells in _by_data(runnable).items():
            problem = self._prepare(name, cells[0])
            if problem is not None:
                for cell in cells:
                    yield self._record(cell, problem, 0.0)
                continue
            yield from self._run_cells(pool, cells, estimate)

    def _memory_limit(self) -> int | None:
        """Bytes a cell: as asked, else nine tenths of the machine's memory shared among the jobs."""
        if self.options.memory_limit is not None:
            return int(self.options.memory_limit * 2**30)
        return int(0.9 * memory_bytes() / self.jobs) if self.device == "cpu" else None

    def _prepare(self, name: str, cell: Cell) -> Outcome | None:
        """Get the data ready, in a process of its own with all cores; the outcome where that failed."""
        reason = TASKS[cell.task].unavailable(cell.settings.task_options, self.options.data)
        if reason is not None:
            return Outcome("no_data", reason)
        pool = Pool(1, threads=cores())
        job = Job(name, "setbench.bench.cell.work:prepare", (cell, self.options.cache, self.options.data))
        for event in pool.run(iter([job])):
            if event.kind == "progress":
                self.progress.preparing(cell.task, event.value, event.done)
            elif event.kind == "ended" and event.outcome is not None:
                if event.outcome.status != "ok":
                    return event.outcome
                if not self._marker(name).exists():
                    text = json.dumps({"key": f"{cell.preset}/{cell.task}/(data)", "seconds": event.outcome.result})
                    write_atomically(self._marker(name), text)
        return None

    def _run_cells(self, pool: Pool, cells: Sequence[Cell], estimate: Estimate) -> Iterator[Record]:
        by_id = {cell.identity: cell for cell in cells}
        claims: dict[str, Any] = {}
        started: dict[str, float] = {}
        for event in pool.run(self._jobs(cells, claims)):
            cell = by_id[event.key]
            if event.kind == "started":
                started[event.key] = time.perf_counter()
                self.progress.started(event.key, str(cell), estimate.cell(cell))
            elif event.kind == "progress":
                self.progress.advanced(event.key, event.done, event.value)
            elif event.outcome is not None:
                record = self._record(cell, event.outcome, time.perf_counter() - started[event.key])
                claims.pop(event.key).__exit__(None, None, None)
                yield record

    def _jobs(self, cells: Sequence[Cell], claims: dict[str, Any]) -> Iterator[Job]:
        for cell in cells:
            claim = self.store.claim(cell.identity)
            if not claim.__enter__():
                self.progress.say(f"{cell}: another run on this folder has it in hand")
                continue
            stored = self.store.read(cell.identity)
            if stored is not None and stored != self.records.get(cell.identity):
                claim.__exit__(None, None, None)
                self.progress.say(f"{cell}: another run on this folder has finished it")
                self.records[cell.identity] = stored
                continue
            claims[cell.identity] = claim
            yield Job(cell.identity, "setbench.bench.cell.work:measure", (cell, self.options.cache, self.options.data))

    def _record(self, cell: Cell, outcome: Outcome, seconds: float) -> Record:
        """Assemble and store the record of a cell."""
        result = dict(outcome.result or {})
        gpu = result.pop("gpu", None)
        kept = result.pop("pictures", None)
        record: Record = {
            "id": cell.identity,
            "status": outcome.status,
            "reason": outcome.reason,
            "traceback": outcome.traceback,
            **_describe(cell),
            **result,
            "seconds": seconds,
            "machine": {**machine(), "gpu": gpu},
            "versions": versions(),
            "commit": commit()[0],
            "dirty": commit()[1],
            "command": self.options.command,
            "finished": datetime.now(UTC).isoformat(timespec="seconds"),
        }
        self.store.write(record)
        if kept is not None:
            save_pictures(self.options.results, cell.identity, *kept)
        return record

    def results(self) -> list[Record]:
        """The records of the planned cells that there are."""
        return [self.records[cell.identity] for cell in self.cells if cell.identity in self.records]


def _task_options(options: Options) -> dict[str, str]:
    """What the command line says of the data. Models trained on real scenes are tested on real ones as it is."""
    if options.clevr != "rendered":
        return {"clevr": options.clevr}
    return {"test_on": options.test_on} if options.test_on != "same" else {}


def _describe(cell: Cell) -> dict[str, Any]:
    """The fields that a record has whatever became of its cell."""
    task, row = TASKS[cell.task], cell.leading
    entry = row.entry if row else None
    settings = cell.settings.__dict__
    return {
        "task": cell.task,
        "row": cell.row,
        "encoder": cell.encoder,
        "decoder": cell.decoder,
        "constant": cell.constant,
        "seed": cell.seed,
        "split": cell.split,
        "paradigm": entry.paradigm if entry else "",
        "section": entry.section if entry else "",
        "paper": entry.paper if entry else "",
        "invariance_claim": entry.invariance if entry and entry.kind != "decoder" else "",
        "why": entry.why if entry else "",
        "task_text": {
            "asks": task.asks,
            "good": task.good,
            "group": task.group,
            "order": list(TASKS).index(cell.task),
        },
        "preset": cell.preset,
        "device": cell.device,
        "settings": {key: dict(value) if isinstance(value, Mapping) else value for key, value in settings.items()},
        "tuned": cell.tuned,
        "data_key": cell.data_key,
    }


def _by_data(cells: Sequence[Cell]) -> dict[str, list[Cell]]:
    groups: dict[str, list[Cell]] = {}
    for cell in cells:
        groups.setdefault(_data_name(cell), []).append(cell)
    return groups


def _data_name(cell: Cell) -> str:
    """Names the prepared data of a cell: task, data, sizes and how pictures are encoded."""
    sizes = "-".join(str(size) for size in cell.settings.sizes.values())
    return f"{cell.task}-{cell.data_key}-{sizes}-{cell.settings.image_encoder}"


def _modules(cells: Sequence[Cell]) -> list[str]:
    """Modules that these cells need, for the forkserver to import once."""
    names = {name for cell in cells for name in (cell.encoder, cell.decoder) if name}
    models = {parse(name, ("encoder", "decoder", "predictor")).entry.target.partition(":")[0] for name in names}
    tasks = {TASKS[cell.task].target.partition(":")[0] for cell in cells}
    return sorted(models | tasks)


def run(**options: Any) -> list[Record]:
    """Plan, run what is missing, write the leaderboard; the same as the command line, from Python.

    Args:
        **options: the fields of :class:`Options`.

    Returns:
        One record (a dict, see DESIGN's Contracts) for every planned cell.

    Example:
        >>> from bench import run
        >>> records = run(tasks=["arithmetic_sum"], models=["deep_sets"], preset="smoke")
        >>> records[0]["metrics"]
    """
    from setbench.bench.report import write_report

    options.setdefault("command", "setbench.run(" + ", ".join(f"{k}={v!r}" for k, v in options.items()) + ")")
    planned = Run(Options(**options))
    planned.execute()
    write_report(planned.store.all(), planned.options.results, pictures=planned.options.figures)
    return planned.results()


def command_line() -> str:
    """The command as it was typed, for the records."""
    module = sys.modules["__main__"].__spec__  # of python -m MODULE
    return shlex.join(["python", *(["-m", module.name] if module else [Path(sys.argv[0]).name]), *sys.argv[1:]])
