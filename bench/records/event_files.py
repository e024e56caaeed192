"""Records as TensorBoard reads them: a folder a cell beneath RESULTS/tensorboard/, made of the record alone.

``loss`` and ``validation/METRIC`` lie at their steps, at the time of their training, so that TensorBoard's relative
time is seconds of training; between two validations, whose seconds the record has, losses are spread evenly. At the
last step stand ``test/METRIC`` of the headline's variant, ``test VARIANT/METRIC`` of the others, and ``cost/…``. What
was no finite number is NaN. Imports tensorboard where it is asked for, and no torch.
"""

from __future__ import annotations

import io
import math
import re
import shutil
from collections.abc import Iterator, Mapping
from datetime import datetime
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from setbench.bench.records.record import Measured, Record
from setbench.files import write_atomically

LONGEST = 120
"""Characters of a folder's name."""


class Point(NamedTuple):
    """One value; ``seconds`` of training before it."""

    tag: str
    step: int
    seconds: float
    value: float


def require() -> None:
    """Raises ValueError, in one line, where tensorboard is not installed."""
    if find_spec("tensorboard") is None:
        raise ValueError("--tensorboard: TensorBoard is not installed; pip install 'setbench[tensorboard]'")


def log(record: Record, results: Path) -> None:
    """Write a record that has a result, unless that is done; what an earlier record of the cell left goes."""
    folder = results / "tensorboard" / run_name(record)
    path = folder / f"events.out.tfevents.{round(_finished(record))}.setbench"
    if record.measured is None or path.exists():
        return  # nothing to show, or done
    shutil.rmtree(folder, ignore_errors=True)
    write_atomically(path, _events(record, record.measured))


def run_name(record: Record) -> str:
    """``TASK/ROW/seed 0, 1a2b3c4d``: the run's name in TensorBoard, and its folder. The digits, of the cell's identity,
    tell settings apart."""
    names = (record.task, record.row, f"seed {record.seed}, {record.id[:8]}")
    return "/".join(re.sub(r"^\.|[^\w .:,=+()-]", "_", name[:LONGEST]) for name in names)


def _events(record: Record, measured: Measured) -> bytes:
    from tensorboard.compat.proto.event_pb2 import Event
    from tensorboard.compat.proto.summary_pb2 import Summary
    from tensorboard.plugins.hparams.summary_v2 import hparams_pb
    from tensorboard.summary.writer.record_writer import RecordWriter

    start = _finished(record) - (measured.time.wall if measured.time else 0.0)
    settings = hparams_pb(_settings(record), trial_id=record.id, start_time_secs=start)
    file = io.BytesIO()
    writer = RecordWriter(file)
    writer.write(Event(wall_time=start, file_version="brain.Event:2").SerializeToString())
    writer.write(Event(wall_time=start, summary=settings).SerializeToString())
    for point in _points(record, measured):
        value = Summary.Value(tag=point.tag, simple_value=point.value)
        event = Event(wall_time=start + point.seconds, step=point.step, summary=Summary(value=[value]))
        writer.write(event.SerializeToString())
    return file.getvalue()


def _points(record: Record, measured: Measured) -> Iterator[Point]:
    curve, headline, time = measured.curve, measured.headline, measured.time
    train = time.train if time else 0.0
    last = max([*curve.step, *curve.validation_step], default=0)
    known = {0: 0.0, last: train} | dict(zip(curve.validation_step, curve.validation_seconds, strict=True))
    losses = np.interp(curve.step, sorted(known), [known[step] for step in sorted(known)]).tolist()
    for step, at, loss in zip(curve.step, losses, curve.loss, strict=True):
        yield Point("loss", step, at, _value(loss))
    for step, at, score in zip(curve.validation_step, curve.validation_seconds, curve.validation_score, strict=True):
        yield Point(f"validation/{headline.metric}", step, at, _value(score))
    for variant, scores in measured.metrics.items():
        section = record.split if variant == headline.variant else f"{record.split} {variant or 'usual'}"
        for metric, score in scores.items():
            yield Point(f"{section}/{metric}", last, train, _value(score))
    moved = measured.invariance
    costs = {
        "train_seconds": time.train if time else None,
        "latency_ms": time.latency_ms if time else None,
        "peak_memory_mb": measured.peak_memory_mb,
        "parameters": measured.parameters,
        "invariance_error": moved.max64 if moved else None,
    }
    for name, cost in costs.items():
        if cost is not None:
            yield Point(f"cost/{name}", last, train, cost)


def _value(number: float | None) -> float:
    return math.nan if number is None else number


def _settings(record: Record) -> dict[str, str | float | bool]:
    """What TensorBoard's table of hyperparameters shows: words, numbers and truth values, by name."""
    names = ("task", "row", "seed", "preset", "device", "threads", "precision")
    facts: Mapping[str, Any] = {name: getattr(record, name) for name in names}
    return dict(_flat({**facts, **record.settings, **record.options}))


def _flat(values: Mapping[str, Any], owner: str = "") -> Iterator[tuple[str, str | float | bool]]:
    for name, value in values.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{owner}{name}.")
        elif isinstance(value, (str, int, float)):
            yield f"{owner}{name}", value


def _finished(record: Record) -> float:
    """Seconds since 1970."""
    return datetime.fromisoformat(record.finished).timestamp()
