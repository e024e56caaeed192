"""Does a run survive what befalls it, and does it leave anything behind? Both take minutes.

    python -m setbench.bench.maintenance.soak kills --times 50
    python -m setbench.bench.maintenance.soak cells --count 500

``kills`` runs a small cross over and over, ends the driver by ``kill -9`` at random instants until it has done so as
often as told, and holds each finished run against one that nobody interrupted: the records and the leaderboard must be
the same but for times, and no process of a killed run may be left after ten seconds.

``cells`` runs so many tiny cells in one run and counts what its driver has meanwhile: memory, open files, processes,
threads, temporary files. Open files, processes, threads and temporary files must be as many at the end as when the run
was warm; memory must grow by no more than the records that the driver keeps.

Exit code 0 where all of this holds, else 1. ``--out FILE`` writes the figures into a section of a Markdown file.
"""

from __future__ import annotations

import argparse
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from multiprocessing.util import get_temp_dir
from pathlib import Path
from typing import Any

import psutil

from setbench.bench.records.machine import commit, processor
from setbench.bench.records.record import Record
from setbench.bench.records.store import Store
from setbench.bench.report import write_report
from setbench.bench.report.flat_csv import csv_text
from setbench.bench.runner.driver import Run
from setbench.bench.runner.options import Options
from setbench.files import write_atomically
from setbench.models.catalogue import CATALOGUE
from setbench.tasks.catalogue import TASKS

GONE_SECONDS = 10.0
"""After a kill, nobody of the run may live for longer."""

LEADERBOARD = ("leaderboard.md", "leaderboard.csv")

HEAD = """# Reliability

Written by `python -m setbench.bench.maintenance.soak kills --times 50 --out FILE` and
`python -m setbench.bench.maintenance.soak cells --count 500 --out FILE`, which end with exit code 1 where something
does not hold. Of two figures the first is of the run when it was warm, the second of its end.
"""

WARM = 20
"""Cells after which everything that is kept for good is there."""

BYTES_A_CELL = 10_000
"""How much a driver's memory may grow a cell beside the record, which it keeps: for the plan, and Python's leisure."""


@dataclass(frozen=True)
class Found:
    """What one of the two trials found: a table of figures and what is wrong."""

    title: str
    figures: dict[str, str]
    wrong: list[str]

    @property
    def text(self) -> str:
        """As Markdown."""
        rows = [f"| {name} | {value} |" for name, value in self.figures.items()]
        verdict = "\n".join(f"- {line}" for line in self.wrong) if self.wrong else "All of it held."
        return "\n".join([f"## {self.title}", "", "| what | figure |", "|---|---|", *rows, "", verdict, ""])


def _first(entries: Iterable[Any], fits: Callable[[Any], bool]) -> str:
    name: str = next(entry.name for entry in entries if fits(entry))
    return name


def cross() -> list[str]:
    """A small cross of the first task and model of each kind: 22 cells of less than a second."""
    models, tasks = CATALOGUE.values(), TASKS.values()
    words = ["--tasks", number_task(), _first(tasks, lambda task: task.input_kind == "vector")]
    words += [
        "--models",
        encoder(),
        _first(models, lambda model: model.paradigm == "control" and model.kind == "encoder"),
    ]
    words += ["--decoders", _first(models, lambda model: model.kind == "decoder" and not model.needs_encoder)]
    words += [_first(models, lambda model: model.needs_encoder)]
    return [*words, "--preset", "smoke", "--device", "cpu", "--jobs", "2", "--seeds", "0-3"]


def number_task() -> str:
    return _first(TASKS.values(), lambda task: task.output_kind == "number")


def encoder() -> str:
    return _first(CATALOGUE.values(), lambda model: model.kind == "encoder")


# --- kills


def kills(times: int, seed: int, say: Callable[[str], None]) -> Found:
    """Kill the driver at ``times`` random instants; see above."""
    chance = random.Random(seed)
    wrong: list[str] = []
    slowest, survivors, rounds, killed = 0.0, 0, 0, 0
    with tempfile.TemporaryDirectory(prefix="soak-") as temporary:
        base = Path(temporary)
        began = time.monotonic()
        whole = base / "whole"
        _start(whole).wait()
        length = time.monotonic() - began
        expected = shown(whole / "results")
        say(f"uninterrupted: {len(expected.records)} records in {length:.0f} s")
        while killed < times:
            folder = base / f"round-{rounds}"
            rounds += 1
            # Most instants while cells run, some while Python still imports, or the report is written.
            for _ in range(min(chance.randint(6, 12), times - killed)):
                run = _start(folder, base / "cache")
                try:
                    run.wait(chance.uniform(0.1, 0.6) * length)
                    break  # it was quicker: nothing is left to kill in this round
                except subprocess.TimeoutExpired:
                    pass
                family = psutil.Process(run.pid).children(recursive=True)
                run.kill()
                run.wait()
                killed += 1
                start = time.monotonic()
                _, alive = psutil.wait_procs(family, timeout=GONE_SECONDS)
                slowest = max(slowest, time.monotonic() - start)
                survivors += len(alive)
                for process in alive:
                    wrong.append(f"kill {killed}: {process} is left after {GONE_SECONDS:g} s")
                    process.kill()
                there = len(list((folder / "results" / "records").glob("*.json")))
                say(f"kill {killed}: {len(family)} processes, {there} records kept")
            code = _start(folder, base / "cache").wait()
            found = shown(folder / "results")
            if code:
                wrong.append(f"round {rounds}: the last run ended with exit code {code}")
            wrong += [f"round {rounds}: {line}" for line in unlike(found, expected)]
            left = sorted(path.name for path in (folder / "results" / "locks").glob("*"))
            if left:
                wrong.append(f"round {rounds}: locks are left: {', '.join(left)}")
    figures = {
        "kills": str(killed),
        "runs brought to their end after kills": str(rounds),
        "records compared, each round": str(len(expected.records)),
        "rounds whose records or leaderboard differ": str(len({w.split(":")[0] for w in wrong if w[0] == "r"})),
        "longest time until all processes were gone": f"{slowest:.1f} s",
        "processes left after 10 s": str(survivors),
    }
    return Found(f"{killed} kills of the driver", figures, wrong)


@dataclass(frozen=True)
class Shown:
    """What a run has to show, without times: its records by identity, and the leaderboard that they make."""

    records: dict[str, str]
    leaderboard: dict[str, str]
    up_to_date: bool


def _start(folder: Path, cache: Path | None = None) -> subprocess.Popen[bytes]:
    folder.mkdir(parents=True, exist_ok=True)
    words = [*cross(), "--results", str(folder / "results"), "--cache", str(cache or folder / "cache")]
    own = {"TMPDIR": str(folder), "PYTHONPATH": os.pathsep.join(name or os.getcwd() for name in sys.path)}
    return subprocess.Popen(
        [sys.executable, "-c", "from setbench.bench.runner.command import entry; entry()", *words],
        env={**os.environ, **own},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def shown(results: Path) -> Shown:
    """Read a results folder."""
    records = Store(results, lambda line: print(line, file=sys.stderr)).all()
    blank = [without_times(record) for record in records]
    with tempfile.TemporaryDirectory() as temporary:
        write_report(blank, Path(temporary))
        leaderboard = {name: (Path(temporary) / name).read_text("utf-8") for name in LEADERBOARD}
    written = (results / "leaderboard.csv").read_text("utf-8")
    return Shown({record.id: record.json_text() for record in blank}, leaderboard, written == csv_text(records))


def without_times(record: Record) -> Record:
    """The record with made-up times, memory and dates, the same for all records."""
    same = {"seconds": 1.0, "finished": "", "command": "", "commit": "", "dirty": False}
    measured = record.measured
    if measured is not None:
        unlike: dict[str, Any] = {"peak_memory_mb": None if measured.peak_memory_mb is None else 1.0}
        if measured.time is not None:
            times = {name: 1.0 for name in type(measured.time).model_fields if name != "latency_batch"}
            unlike["time"] = measured.time.model_copy(update=times)
        seconds = [1.0] * len(measured.curve.validation_seconds)
        unlike["curve"] = measured.curve.model_copy(update={"validation_seconds": seconds})
        measured = measured.model_copy(update=unlike)
    return record.model_copy(update={**same, "measured": measured})


def unlike(found: Shown, expected: Shown) -> list[str]:
    """What differs, a line each."""
    lines = []
    if found.records.keys() != expected.records.keys():
        lines.append(f"{len(found.records)} records, not {len(expected.records)}, or others")
    both = found.records.keys() & expected.records.keys()
    lines += [f"record {name} differs" for name in sorted(both) if found.records[name] != expected.records[name]]
    lines += [f"{name} differs" for name in LEADERBOARD if found.leaderboard[name] != expected.leaderboard[name]]
    return lines if found.up_to_date else [*lines, "leaderboard.csv is not that of its records"]


# --- cells


@dataclass(frozen=True)
class Footprint:
    """What a driver has at one moment."""

    memory: int
    files: int
    processes: int
    threads: int
    temporary: int
    server_files: int


def footprint(temporary: Path) -> Footprint:
    """Of this process; ``temporary`` is where its family puts temporary files."""
    me = psutil.Process()
    family = me.children(recursive=True)
    return Footprint(
        memory=me.memory_info().rss,
        files=me.num_fds() if hasattr(me, "num_fds") else 0,
        processes=len(family),
        threads=me.num_threads(),
        temporary=sum(len(names) for _, _, names in os.walk(temporary)),
        server_files=sum(one.num_fds() for one in family),
    )


def cells(count: int, say: Callable[[str], None], warm: int = WARM, most: int = BYTES_A_CELL) -> Found:
    """Run ``count`` cells, ``warm`` of them before the first look; see above. In this process."""
    with tempfile.TemporaryDirectory(prefix="soak-") as folder, _temporary_files(Path(folder) / "tmp") as temporary:
        memory: list[int] = []

        def run(seeds: range) -> list[Record]:
            made = Run(
                Options(
                    tasks=[number_task()],
                    models=[encoder()],
                    decoders=[],
                    preset="smoke",
                    device="cpu",
                    jobs=2,
                    seeds=tuple(seeds),
                    results=Path(folder) / "results",
                    cache=Path(folder) / "cache",
                )
            )
            finished = made.progress.finished

            def noted(record: Record) -> None:
                finished(record)
                memory.append(psutil.Process().memory_info().rss)

            made.progress.finished = noted  # type: ignore[method-assign]
            made.execute()
            return made.results()

        began = time.monotonic()
        run(range(warm))
        first, memory[:] = footprint(temporary), []
        say(f"after {warm} cells: {first}")
        records = run(range(warm, count))
        last = footprint(temporary)
        say(f"after {count} cells: {last}")
        locks = len(list((Path(folder) / "results" / "locks").iterdir()))
        stored = len(list((Path(folder) / "results" / "records").iterdir()))
    slope, kept = growth(memory), record_bytes(records[-1])
    wrong = [
        f"{name} were {before} after {warm} cells and are {after} after {count}"
        for name, before, after in (
            ("open files of the driver", first.files, last.files),
            ("open files of its family", first.server_files, last.server_files),
            ("processes", first.processes, last.processes),
            ("threads of the driver", first.threads, last.threads),
            ("temporary files", first.temporary, last.temporary),
        )
        if before != after
    ]
    if slope - kept > most:
        wrong.append(
            f"memory grows by {(slope - kept) / 1000:.1f} kB a cell beside its record, more than {most / 1000:g}"
        )
    if locks:
        wrong.append(f"{locks} locks are left")
    wrong += sorted({f"a cell is {record.status}: {record.reason}" for record in records if not record.ok})
    if stored != count + 2:  # a floor for each of the two halves, which have other first seeds
        wrong.append(f"{stored} records are stored, not {count + 2}")
    figures = {
        "cells": f"{count}, two at once, in {time.monotonic() - began:.0f} s",
        f"memory of the driver after {warm} cells, and last": f"{first.memory / 1e6:.1f}, {last.memory / 1e6:.1f} MB",
        "growth of its memory, by a line through all cells": f"{slope / 1000:.2f} kB a cell",
        "of it the cell's record, which the driver keeps": f"{kept / 1000:.2f} kB",
        "open files of the driver": f"{first.files}, {last.files}",
        "open files of its family between cells": f"{first.server_files}, {last.server_files}",
        "processes between cells": f"{first.processes}, {last.processes}",
        "threads of the driver": f"{first.threads}, {last.threads}",
        "temporary files": f"{first.temporary}, {last.temporary}",
        "locks left": str(locks),
    }
    return Found(f"{count} cells in one run", figures, wrong)


def record_bytes(record: Record) -> float:
    """The memory that one more record takes, by making two thousand."""
    text, me = record.json_text(), psutil.Process()
    kept = [Record.parse(text) for _ in range(500)]
    before = me.memory_info().rss
    kept += [Record.parse(text) for _ in range(2000)]
    return (me.memory_info().rss - before) / 2000


def growth(values: Sequence[int]) -> float:
    """The slope of the straight line nearest to these values."""
    middle = (len(values) - 1) / 2
    mean = sum(values) / max(len(values), 1)
    spread = sum((place - middle) ** 2 for place in range(len(values)))
    return sum((place - middle) * (value - mean) for place, value in enumerate(values)) / spread if spread else 0.0


@contextmanager
def _temporary_files(folder: Path) -> Iterator[Path]:
    """Temporary files of this process and of all that it starts go there."""
    folder.mkdir(parents=True)
    get_temp_dir()  # multiprocessing's own, which it takes away when Python ends, stays outside
    had, before = os.environ.get("TMPDIR"), tempfile.tempdir
    os.environ["TMPDIR"] = tempfile.tempdir = str(folder)
    try:
        yield folder
    finally:
        tempfile.tempdir = before
        if had is None:
            del os.environ["TMPDIR"]
        else:
            os.environ["TMPDIR"] = had


# --- both


def write(found: Found, path: Path) -> None:
    """Put what was found into its section of a file, which is made where it is not there."""
    kind = found.title.split(" ", 1)[1]
    text = path.read_text("utf-8") if path.exists() else HEAD
    sections = {part.split("\n", 1)[0].split(" ", 1)[1]: f"## {part}" for part in text.split("\n## ")[1:]}
    sections[kind] = found.text
    whole = [text.split("\n## ")[0].rstrip(), *(part.strip() for part in sections.values())]
    write_atomically(path, "\n\n".join(whole) + "\n")


def main(words: Sequence[str] | None = None) -> int:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    kinds = arguments.add_subparsers(dest="kind", required=True)
    killing = kinds.add_parser("kills", help="kill the driver over and over")
    killing.add_argument("--times", type=int, default=50, metavar="N")
    killing.add_argument("--seed", type=int, default=0, help="of the instants (default 0)")
    many = kinds.add_parser("cells", help="run many cells in one run")
    many.add_argument("--count", type=int, default=500, metavar="N", help=f"more than {WARM} (default 500)")
    for kind in (killing, many):
        kind.add_argument("--out", type=Path, metavar="FILE", help="a Markdown file to put the figures into")
    given = arguments.parse_args(words)
    if (given.times if given.kind == "kills" else given.count - WARM) < 1:
        arguments.error("that is too few")

    def say(line: str) -> None:
        print(line, file=sys.stderr, flush=True)

    found = kills(given.times, given.seed, say) if given.kind == "kills" else cells(given.count, say)
    where = f"{processor()}, {os.cpu_count()} processors, {datetime.now(UTC):%Y-%m-%d}, {commit()[0] or 'no commit'}"
    found = Found(found.title, {**found.figures, "where and when": where}, found.wrong)
    print(found.text)
    if given.out is not None:
        write(found, given.out)
    return 1 if found.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
