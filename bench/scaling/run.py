"""``--scaling``: measure what is missing, a process a point, and write the tables and figures. Imports no torch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from setbench.bench.records.machine import commit, device_kind, machine, versions
from setbench.bench.records.record import Status
from setbench.bench.runner.driver import COMPILER
from setbench.bench.runner.endings import Outcome
from setbench.bench.runner.execute import Job, Pool
from setbench.bench.runner.options import Options, arguments, flag
from setbench.bench.runner.processes import preload
from setbench.bench.runner.progress import Progress
from setbench.bench.scaling.plan import BATCHES, FEATURES, LATENT, MEMORY_MB, POINT_SECONDS, SIZES, WIDTH, Series
from setbench.bench.scaling.points import Point, Points, Setup
from setbench.models.catalogue import ModelSpec, model_specs, parse
from setbench.options import UnknownName
from setbench.plugins import plug_in

KNOWN = {"models", "results", "device", "threads", "plugins", "rerun", "retry_failed", "command"}
"""The options of a run that this knows."""


class Scaling:
    """A planned measurement of how encoders scale.

    Args:
        options: of a run; those that ``KNOWN`` names count.
        given: what was typed, by name: any other option is an error.
        largest: the largest set size; None for all of ``SIZES``.

    Raises at construction, with one clear line:
        ValueError: an unknown name, an option that has no meaning here, points of another machine in the folder.
    """

    def __init__(self, options: Options, given: Mapping[str, Any], largest: str | int | None = None) -> None:
        self.options = options
        self.sizes = _sizes(largest)
        for name in given:
            if name in arguments() and name not in KNOWN:
                raise UnknownName(f"{flag(name)}: --scaling has no use for it; leave it out")
        self.plugins = [plug_in(path) for path in options.plugins]
        self.series = [Series(model, batch) for model in _models(options.models) for batch in BATCHES]
        self.progress = Progress()
        here = machine()
        setup = Setup(
            cpu=here.cpu,
            cores=here.cores,
            memory_gb=here.memory_gb,
            platform=here.platform,
            device=device_kind(options.device),
            threads=options.threads,
            torch=versions()["torch"],
            features=FEATURES,
            width=WIDTH,
            latent=LATENT,
        )
        self.points = Points(options.results / "scaling", setup, self.progress.say)

    def stale(self, series: Series, point: Point) -> bool:
        """Whether other code made this point, or the same name with other defaults."""
        return point.code != series.code or point.options != series.model.options

    def execute(self) -> bool:
        """Measure what is missing, keeping every point as it comes; False if an encoder raised or was killed."""
        with self.points.claim():
            self._forget()
            modules = {one.model.entry.module for one in self.series}
            preload([*self.plugins, "setbench.bench.scaling.measure", COMPILER, *sorted(modules)])
            pool = Pool(1, POINT_SECONDS, int(MEMORY_MB * 2**20), self.options.threads)
            with closing(pool.run(self._jobs())) as events:
                for event in events:
                    if event.outcome is not None:
                        self.points.add(self._point(event.outcome, event.seconds))
        mishaps = (Status.FAILED, Status.KILLED)
        keys = [key for one in self.series for key in one.keys(self.sizes)]
        return not any(point.status in mishaps for key in keys if (point := self.points.found.get(key)))

    def _forget(self) -> None:
        """Leave out the points that are to be measured again: their lines stay, and the later one counts."""
        for one in self.series:
            for key in one.keys(SIZES):
                point = self.points.found.get(key)
                again = point and self.options.retry_failed and point.status.retryable
                if point and (again or (self.options.rerun and self.stale(one, point))):
                    del self.points.found[key]

    def _jobs(self) -> Iterator[Job]:
        """One after the other: what comes next of an encoder depends on its last point, which is known by then."""
        for number, one in enumerate(self.series, 1):
            size, why = one.next(self.points.found, self.sizes)
            new = size is not None
            while size is not None:
                self.current = one, size
                name, device = one.model.name, self.points.setup.device
                arguments = (name, one.batch, size, device)
                yield Job(f"{name} {one.batch} {size}", "setbench.bench.scaling.measure:measure", arguments)
                size, why = one.next(self.points.found, self.sizes)
            if new:
                place = f"[{number:>{len(str(len(self.series)))}}/{len(self.series)}]"
                self.progress.say(f"{place} {one}: {why or f'measured up to {self.sizes[-1]:,}'}")

    def _point(self, outcome: Outcome, seconds: float) -> Point:
        """The point in hand, as its process ended."""
        one, size = self.current
        head, dirty = commit()
        return Point(
            encoder=one.model.name,
            options=dict(one.model.options),
            batch=one.batch,
            size=size,
            status=outcome.status,
            reason=outcome.reason,
            timed=outcome.result,
            seconds=seconds,
            code=one.code,
            commit=head,
            dirty=dirty,
            finished=datetime.now(UTC).isoformat(timespec="seconds"),
        )

    def report(self) -> list[Path]:
        """Write the tables and figures of these encoders, and say where."""
        from setbench.bench.scaling.report import write_report

        return write_report(self.points, self.series, self.options.command)


def _models(asked: Sequence[str] | None) -> list[ModelSpec]:
    """The encoders by name, or all of the default cross.

    Raises:
        UnknownName: a name that is no encoder, with the nearest one.
    """
    if asked is None or "*" in asked:
        return model_specs("encoder")
    if not asked:
        raise UnknownName("--models names no encoder, and only encoders are measured")
    return list({spec.name: spec for spec in (parse(name, ("encoder",)) for name in asked)}.values())


def _sizes(largest: str | int | None) -> tuple[int, ...]:
    """The sizes up to the largest that was asked for."""
    text = str(SIZES[-1] if largest is None else largest)
    sizes = tuple(size for size in SIZES if text.isdecimal() and size <= int(text))
    if not sizes or int(text) > SIZES[-1]:
        raise UnknownName(f"--scaling {text!s:.80}: it takes the largest set size, from {SIZES[0]} to {SIZES[-1]:,}")
    return sizes
