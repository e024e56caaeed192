"""A record as TensorBoard shows it: its learning curve, its metrics, and its settings beside its score.

Made from the record when the cell has ended, so that training knows nothing of it. Imports no torch.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

from setbench.bench.records.record import Record

FOLDER = "tensorboard"
SHOWN = ("learning_rate", "steps", "batch", "latent", "width")
"""Of the settings, those that stand beside the score."""


def require() -> None:
    """Raises ValueError, in one line, where the package that writes is not installed."""
    if find_spec("tensorboardX") is None:
        raise ValueError("--tensorboard: it needs tensorboardX; pip install 'setbench[tensorboard]'")


def log(record: Record, results: Path) -> Path | None:
    """Write RESULTS/tensorboard/TASK/ROW/seed N ID, unless it is there; its folder, or None of a cell that has no
    result.

    ``loss`` is the mean over the steps up to each, ``validation/METRIC`` the headline on a part of the validation
    split, ``train_seconds`` the seconds of training up to there, ``test/METRIC`` (and ``test/METRIC/T_10``, of a
    variant that has a name) the values at the end.
    """
    if record.measured is None:
        return None
    from tensorboardX import SummaryWriter

    folder = results / FOLDER / _name(record.task) / _name(record.row) / f"seed{record.seed}-{record.id}"
    if folder.exists():
        return folder
    begun = folder.with_name(f"{folder.name}.part")
    shutil.rmtree(begun, ignore_errors=True)
    with SummaryWriter(logdir=str(begun), write_to_disk=True) as writer:
        for tag, value, step in _scalars(record):
            writer.add_scalar(tag, value, step)
        beside = {name: record.settings[name] for name in SHOWN if record.settings.get(name) is not None}
        facts = {"task": record.task, "row": record.row, "seed": record.seed, "preset": record.preset, **beside}
        score = record.measured.score
        if score is not None:
            writer.add_hparams(facts, {f"headline/{record.measured.headline.metric}": score}, name="hparams")
    begun.rename(folder)
    return folder


def _scalars(record: Record) -> Iterator[tuple[str, float, int]]:
    """Tag, value and step; what was no finite number is left out."""
    assert record.measured is not None
    found, curve = record.measured, record.measured.curve
    for step, loss in zip(curve.step, curve.loss, strict=True):
        if loss is not None:
            yield "loss", loss, step
    for place, score in enumerate(curve.validation_score):
        if score is not None:
            yield f"validation/{found.headline.metric}", score, curve.validation_step[place]
            yield "train_seconds", curve.validation_seconds[place], curve.validation_step[place]
    last = curve.step[-1] if curve.step else 0
    for variant, metrics in found.metrics.items():
        for metric, value in metrics.items():
            if value is not None:
                yield f"test/{metric}" + (f"/{_tag(variant)}" if variant else ""), value, last


def _tag(variant: str) -> str:
    """With the characters that TensorBoard's tags may have."""
    return re.sub(r"[^\w.-]", "_", variant)


def _name(text: str) -> str:
    """As a folder of any system."""
    return re.sub(r"[^\w.=+,-]+", "_", text)[:80]
