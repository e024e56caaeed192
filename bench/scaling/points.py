"""What was measured: one point for each encoder, batch and set size, a line of JSON each. Imports no torch."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout
from pydantic import Field

from setbench.bench.records.record import Part, Status, Text
from setbench.files import one_line, write_atomically

Key = tuple[str, int, int]
"""Encoder with its options, batch, set size."""


class Setup(Part):
    """What all points of a folder share: seconds of two machines are on no line together."""

    cpu: Text
    cores: int
    memory_gb: int
    platform: Text
    device: Text
    threads: int
    torch: Text
    features: int = Field(description="of an element; the first two are its place")
    width: int
    latent: int


class Timed(Part):
    """What a point's process found. Times are medians of single calls after warm-up."""

    forward_ms: float = Field(description="the codes of a batch, without gradients")
    step_ms: float = Field(description="a training step: forward, backward, Adam")
    memory_mb: float = Field(description="the peak of what model, forward and steps added to the process")
    repeats: int = Field(description="timed steps")
    forward_pages: int = Field(description="fresh pages of memory that the system gave to the last forward")
    step_pages: int = Field(description="and to the last step")
    reference_ms: float = Field(description="a product of two 512 x 512 float32 matrices, timed beside them")
    gpu: Text | None = None


class Point(Part):
    """One encoder at one batch and set size, and how its process ended."""

    encoder: Text = Field(description="as on the command line")
    options: Mapping[str, str | int | float | bool] = Field(description="resolved, the defaults included")
    batch: int
    size: int
    status: Status
    reason: Text = ""
    timed: Timed | None = None
    seconds: float = Field(description="wall clock of the point's process")
    code: Text = Field(description="hash of the code behind the numbers")
    commit: Text = ""
    dirty: bool = False
    finished: Text = Field(description="date and time in UTC")

    @property
    def key(self) -> Key:
        return self.encoder, self.batch, self.size


class Points:
    """The points of one folder: ``setup.json``, ``points.jsonl``. A point is appended as soon as it is measured; of two
    on the same key the later one counts.

    Args:
        folder: where they are, or will be.
        setup: of this run.
        warn: called with one line for every line of the file that cannot be read; it counts as not measured.

    Raises:
        ValueError: the folder's points were measured on another machine or otherwise than this run would.
    """

    def __init__(self, folder: Path, setup: Setup, warn: Callable[[str], None]) -> None:
        self.folder, self.setup = folder, setup
        self.path = folder / "points.jsonl"
        self.found: dict[Key, Point] = {}
        if not self.path.exists():
            return
        self._check_setup()
        for number, line in enumerate(self.path.read_text(encoding="utf-8", errors="replace").splitlines(), 1):
            try:
                point = Point.model_validate_json(line, strict=True)
            except ValueError as error:
                warn(f"passed over line {number} of {self.path.name}, it counts as not measured: {one_line(error)}")
                continue
            self.found[point.key] = point

    def _check_setup(self) -> None:
        """The folder's setup is that of this run."""
        try:
            there = Setup.model_validate_json((self.folder / "setup.json").read_bytes(), strict=True)
        except (OSError, ValueError) as error:
            raise ValueError(
                f"{self.folder}/setup.json cannot be read: {one_line(error)}; give another --results"
            ) from None
        for name, value in self.setup:
            if getattr(there, name) != value:
                raise ValueError(
                    f"{self.folder} was measured with {name} {getattr(there, name)}, this run has {value}; "
                    "give another --results"
                )

    def add(self, point: Point) -> None:
        """Keep a point, on the disk before this returns."""
        if not self.path.exists():
            write_atomically(self.folder / "setup.json", self.setup.model_dump_json(indent=1) + "\n")
        with open(self.path, "ab+") as file:
            if file.tell() and _last_byte(self.path) != b"\n":  # a line that a crash has cut
                file.write(b"\n")
            file.write(json.dumps(point.model_dump(mode="json")).encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())
        self.found[point.key] = point

    @contextmanager
    def claim(self) -> Iterator[None]:
        """Hold the folder, so that no other run measures into it.

        Raises:
            BlockingIOError: another run does; in one line.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(self.folder / "points.lock")
        try:
            lock.acquire(blocking=False)
        except Timeout:
            raise BlockingIOError(f"{self.folder}: another run measures into it") from None
        try:
            yield
        finally:
            Path(lock.lock_file).unlink(missing_ok=True)
            lock.release()


def _last_byte(path: Path) -> bytes:
    with open(path, "rb") as file:
        file.seek(-1, os.SEEK_END)
        return file.read(1)
