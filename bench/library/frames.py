"""Results and catalogues as tidy pandas tables."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from setbench.bench.plan.code import of_this_code
from setbench.bench.records.record import Record
from setbench.bench.records.store import Store
from setbench.models.catalogue import CATALOGUE
from setbench.options import Option, UnknownName
from setbench.tasks.catalogue import TASKS

if TYPE_CHECKING:
    from pandas import DataFrame

SETTINGS = ("steps", "batch", "learning_rate", "latent", "width", "image_encoder")
"""Of a record's settings, those that are columns."""


CURVES = ("step", "loss", "seconds", "validation")
"""What a point of a curve has beside its cell."""


def load(folder: str | os.PathLike[str], *, curves: bool = False) -> DataFrame:
    """The results of a run as one tidy table.

    Args:
        folder: a results folder, as ``results/local``; packed records or one file a record.
        curves: the learning curves in place of the results.

    Returns:
        A line a cell, variant and metric: ``variant`` is the way of evaluating (DSPN's steps, pi-SGD's draws),
        ``headline`` whether rows are ranked by this value, ``value`` NaN where it was no finite number. A cell without
        a result has one line, with its ``status`` and ``reason``; ``split`` is "validation" for trials of tuning.
        Times are in seconds (``train_seconds``) and milliseconds (``latency_ms``), memory in MB; ``invariance`` is the
        largest relative error in float32, ``invariance64`` in float64; ``this_code`` says whether the code as it is now
        would make the same numbers.
        With ``curves`` a line a cell and point: ``step``, ``loss`` (of training, a mean over the steps up to there) or
        ``seconds`` (of training) and ``validation`` (the headline metric on a part of the validation split).

    Raises:
        UnknownName: no such folder, or no records in it; one line.
    """
    if not isinstance(folder, (str, os.PathLike)):
        raise UnknownName(f"load({folder!r}): it takes the path of a folder, as 'results/local'")
    path = Path(folder)
    if path.is_file():
        raise UnknownName(f"load({str(folder)!r}): it is a file; give the folder of a run, as 'results/local'")
    if not path.is_dir():
        raise UnknownName(f"load({str(folder)!r}): no such folder; give one that a run has written, as 'results/local'")
    records = Store(path, print).all()
    if not records:
        raise UnknownName(f"load({str(folder)!r}): there are no records in it; a run's folder has records/")
    return frame(records, curves=curves)


def frame(records: Iterable[Record], *, curves: bool = False) -> DataFrame:
    """Records as the table that :func:`load` gives."""
    import pandas as pd

    found = list(records)
    lines = [line for record in found for line in (_points(record) if curves else _values(record))]
    columns = [*_cell(found[0]), *CURVES] if curves and found else None  # where no record has a curve too
    return pd.DataFrame(lines, columns=columns)


class Records(list[Record]):
    """The records of a run, which show themselves as a table, a line a cell."""

    def frame(self, *, curves: bool = False) -> DataFrame:
        """As :func:`load` would read them."""
        return frame(self, curves=curves)

    def _shown(self) -> DataFrame:
        found = self.frame()
        one = found[found["headline"] | found["metric"].isna()]
        why = ["reason"] if (one["reason"] != "").any() else []
        return one[["task", "row", "seed", "status", "metric", "value", "unit", *why]]

    def __repr__(self) -> str:
        return self._shown().to_string(index=False, na_rep="") if self else "[]"

    def _repr_html_(self) -> str:
        return str(self._shown().to_html(index=False, na_rep="")) if self else "[]"


def _cell(record: Record) -> dict[str, Any]:
    """What is known of a cell in both tables."""
    return {
        "id": record.id,
        **{name: getattr(record, name) for name in ("task", "row", "encoder", "decoder")},
        "paradigm": record.model.paradigm,
        **{name: getattr(record, name) for name in ("seed", "split", "preset", "device", "threads", "precision")},
        "constant": record.constant,
    }


def _values(record: Record) -> Iterator[dict[str, Any]]:
    found = record.measured
    data, time, moved = (found.data, found.time, found.invariance) if found else (None, None, None)
    scores: list[tuple[str, str | None, float | None]] = [("", None, None)]
    if found is not None:
        scores = [(variant, *one) for variant, own in found.metrics.items() for one in own.items()]
    shared = {
        "data": data.name if data else None,
        "data_kind": data.kind if data else None,
        "checksum": data.checksum if data else None,
        "status": str(record.status),
        "reason": record.reason,
    }
    figures = {
        "train_seconds": time.train if time else math.nan,
        "latency_ms": time.latency_ms if time else math.nan,
        "throughput": time.throughput if time else math.nan,
        "peak_memory_mb": _number(found.peak_memory_mb if found else None),
        "parameters": _number(found.parameters if found else None),
        "invariance": _number(moved.max if moved else None),
        "invariance64": _number(moved.max64 if moved else None),
        **{name: record.settings.get(name) for name in SETTINGS},
        "tuned": record.tuned,
        "commit": record.commit,
        "dirty": record.dirty,
        "code": record.code,
        "this_code": of_this_code(record),
    }
    for variant, metric, value in scores:
        info = found.metric_info.get(metric) if found and metric else None
        yield {
            **_cell(record),
            **shared,
            "variant": variant,
            "metric": metric,
            "headline": found is not None and (metric, variant) == (found.headline.metric, found.headline.variant),
            "value": _number(value),
            "unit": info.unit if info else None,
            "higher_is_better": info.higher_is_better if info else None,
            **figures,
        }


def _points(record: Record) -> Iterator[dict[str, Any]]:
    if record.measured is None:
        return
    curve, cell = record.measured.curve, _cell(record)
    for step, loss in zip(curve.step, curve.loss, strict=True):
        yield cell | {"step": step, "loss": _number(loss), "seconds": math.nan, "validation": math.nan}
    scores = zip(curve.validation_step, curve.validation_seconds, curve.validation_score, strict=True)
    for step, seconds, score in scores:
        yield cell | {"step": step, "loss": math.nan, "seconds": seconds, "validation": _number(score)}


def _number(value: float | None) -> float:
    return math.nan if value is None else value


def list_models(kind: Literal["encoder", "decoder", "predictor"] = "encoder") -> DataFrame:
    """The catalogue: a line a model, with paradigm, paper, how invariant it is, cost in the set's size N, and options.

    Args:
        kind: "encoder" (set to vector), "decoder" (vector to set) or "predictor" (set to set).

    Raises:
        UnknownName: another kind; one line.
    """
    import pandas as pd

    kinds = ("encoder", "decoder", "predictor")
    if kind not in kinds:
        raise UnknownName(f"list_models({kind!r}): a kind is one of {', '.join(kinds)}")
    return pd.DataFrame(
        {
            "name": entry.name,
            "paradigm": entry.paradigm,
            "invariance": entry.invariance,
            "cost": entry.cost,
            "paper": entry.paper,
            "does": entry.summary,
            "options": _options(entry.options),
        }
        for entry in CATALOGUE.values()
        if entry.kind == kind
    )


def list_tasks() -> DataFrame:
    """A line a task: what goes in and out, its headline metric, what it asks, and its options."""
    import pandas as pd

    return pd.DataFrame(
        {
            "name": task.name,
            "kind": task.group,
            "headline": task.headline,
            "asks": task.asks,
            "options": _options(task.options),
        }
        for task in TASKS.values()
    )


def _options(options: Mapping[str, Option]) -> str:
    """``k=2: a whole number, at least 1, or N``, one after another."""
    return "; ".join(f"{name}={option.default}: {option.wanted}" for name, option in options.items())
