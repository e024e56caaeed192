"""A cell that is stopped goes on from its checkpoint, and ends as if it had never been stopped."""

from __future__ import annotations

import dataclasses
import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from setbench.bench.cell.run_cell import run_cell
from setbench.bench.cell.train import Trainer
from setbench.bench.plan.cells import Cell, Request, asked_tasks, plan
from setbench.bench.plan.presets import load
from setbench.bench.records.checkpoints import Checkpoint
from setbench.bench.records.record import Precision
from setbench.models.interfaces import Predictor, TaskLoss
from setbench.tasks.catalogue import parse_task

STEPS, STOP = 45, 26
pytestmark = pytest.mark.usefixtures("one_thread")


class Stopped(Exception):
    pass


class Stops(Checkpoint):
    """Writes after every step, and ends the cell at one of them."""

    def write(self, content: bytes) -> None:
        if torch.load(io.BytesIO(content))["done"] == STOP:
            super().write(content)
            raise Stopped


def cell(task: str, model: str, decoder: str | None, folder: Path, precision: Precision = "float32") -> Cell:
    request = Request(
        tasks=asked_tasks([task]),
        seeds=(3,),
        preset=load("smoke").with_settings({"steps": STEPS, "schedule": "cosine"}),
        device="cpu",
        data=None,
        cache=folder,
        encoders=[model],
        decoders=[decoder] if decoder else [],
        precision=precision,
    )
    return next(one for one in plan(request) if not one.constant and not one.blocked)


@pytest.mark.parametrize(
    ("task", "model", "decoder", "precision"),
    [
        ("arithmetic_sum", "pi_sgd", None, "float32"),
        ("arithmetic_sum", "permutation_adversary", None, "float32"),
        ("rotated_square", "deep_sets", "dspn", "float32"),
        ("rotated_square", "deep_sets", "dspn", "bf16"),
    ],
)
def test_gone_on_bit_for_bit(task: str, model: str, decoder: str | None, precision: Precision, tmp_path: Path) -> None:
    one = cell(task, model, decoder, tmp_path, precision)
    whole, kept = run_cell(one, tmp_path, None, lambda done, loss: None)
    path = tmp_path / "cell.pt"
    with pytest.raises(Stopped):
        run_cell(one, tmp_path, None, lambda done, loss: None, Stops(path, "cell", "code", 0.0))
    torch.manual_seed(99)
    again = Checkpoint(path, "cell", "code", float("inf"))
    resumed, items = run_cell(one, tmp_path, None, lambda done, loss: None, again)
    timed = {"time", "curve", "peak_memory_mb"}
    assert resumed.model_dump(exclude=timed) == whole.model_dump(exclude=timed)
    assert resumed.curve is not None
    assert whole.curve is not None
    assert len(resumed.curve.first) == STEPS
    assert len(resumed.curve.validation_step) > 1
    seconds = {"validation_seconds"}
    assert resumed.curve.model_dump(exclude=seconds) == whole.curve.model_dump(exclude=seconds)
    assert resumed.curve.validation_seconds == sorted(resumed.curve.validation_seconds)
    assert items.items.keys() == kept.items.keys()
    for name in kept.items:
        np.testing.assert_array_equal(items.items[name], kept.items[name])


class Norms(Predictor):
    """Batch norm and dropout: running means, and random numbers at every step."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(1, 8), nn.BatchNorm1d(8), nn.Dropout(0.5), nn.Linear(8, 1))

    def forward(self, inputs: Any, budget: int | None = None) -> Any:
        return self.layers(inputs[0].mean(dim=1)[:, :1])[:, 0]

    def losses(self, inputs: Any, targets: Any, task_loss: TaskLoss) -> dict[str, Tensor]:
        return {"loss": task_loss(self(inputs), targets)}


def test_batch_norm_and_dropout(tmp_path: Path) -> None:
    one = cell("arithmetic_sum", "deep_sets", None, tmp_path)
    task = parse_task("arithmetic_sum").make(one.settings.sizes, tmp_path)

    def train(checkpoint: Checkpoint | None) -> dict[str, Tensor]:
        torch.manual_seed(0)
        predictor = Norms()
        trainer = Trainer(predictor, task, task.split("train"), one.settings, 1, torch.device("cpu"))
        trainer.run(lambda done, loss: None, torch.enable_grad, checkpoint=checkpoint)
        return predictor.state_dict()

    whole = train(None)
    path = tmp_path / "cell.pt"
    with pytest.raises(Stopped):
        train(Stops(path, "cell", "code", 0.0))
    resumed = train(Checkpoint(path, "cell", "code", float("inf")))
    assert all(torch.equal(resumed[name], whole[name]) for name in whole)


def test_only_a_whole_one_of_this_cell_and_code(tmp_path: Path) -> None:
    mine = Checkpoint(tmp_path / "cell.pt", "cell", "code", 1.0)
    assert mine.read() is None
    mine.write(b"one\ntwo")
    assert mine.read() == b"one\ntwo"
    for other in (dataclasses.replace(mine, code="newer"), dataclasses.replace(mine, cell="another")):
        with pytest.raises(ValueError, match="other code"):
            other.read()
    content = mine.path.read_bytes()
    for damaged in (content[:-1], content[:20], b"", content[:-1] + b"x"):
        mine.path.write_bytes(damaged)
        with pytest.raises(ValueError, match="damaged"):
            mine.read()
    (tmp_path / ".cell.pt.cut-short").write_bytes(b"")
    mine.remove()
    assert list(tmp_path.iterdir()) == []
