"""Ten thousand records of a whole cross, made of the committed ones: what planning and reports are timed with."""

from __future__ import annotations

from pathlib import Path

from setbench.bench.plan.cells import Cell
from setbench.bench.plan.code import row_code
from setbench.bench.records.record import Measured, Record, Status
from setbench.bench.records.store import Store
from setbench.bench.runner.driver import Run
from setbench.bench.runner.options import Options

CELLS = 10_000
SEEDS = 6
"""Of every model on every task: so many that there are more than CELLS cells."""

COMMITTED = Path(__file__).parents[2] / "results" / "quick"


def whole_cross(folder: Path, seeds: int = SEEDS) -> Run:
    """The plan of every model on every task by the smoke preset."""
    return Run(
        Options(
            models=["*"],
            decoders=["*"],
            seeds=tuple(range(seeds)),
            preset="smoke",
            device="cpu",
            results=folder,
            jobs=1,
        )
    )


def write_records(folder: Path, count: int = CELLS) -> None:
    """The records of the first ``count`` cells of the cross, each with the results that a committed record of its task
    has, moved a little."""
    committed: dict[str, list[Record]] = {}
    for record in Store(COMMITTED, print).all():
        committed.setdefault(record.task, []).append(record)
    records = folder / "records"
    records.mkdir(parents=True)
    for place, cell in enumerate(whole_cross(folder).cells[:count]):
        alike = [one for one in committed[cell.task] if one.constant == cell.constant and one.ok]
        record = _of(cell, alike[place % len(alike)], 1 + place / count)
        (records / f"{record.id}.json").write_text(record.json_text(), encoding="utf-8")


def _of(cell: Cell, like: Record, factor: float) -> Record:
    status, reason = cell.blocked or (Status.OK, "")
    return like.model_copy(
        update={
            "id": cell.identity,
            "status": status,
            "reason": reason,
            "row": cell.row,
            "encoder": cell.encoder,
            "decoder": cell.decoder,
            "options": {kind: dict(options) for kind, options in cell.options.items()},
            "seed": cell.seed,
            "preset": cell.preset,
            "data_key": cell.data_key,
            "measured": _moved(like.measured, factor) if like.measured and not cell.blocked else None,
            "code": row_code(cell.task, (cell.encoder, cell.decoder), cell.settings.image_encoder),
        }
    )


def _moved(found: Measured, factor: float) -> Measured:
    metrics = {
        variant: {name: None if value is None else value * factor for name, value in scores.items()}
        for variant, scores in found.metrics.items()
    }
    return found.model_copy(update={"metrics": metrics})
