"""bf16 and TF32: what runs in less, what stays in float32, and that a cell under them ends."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from setbench.bench.cell.evaluate import predict, predict_one
from setbench.bench.cell.precision import in_single, lowered, products_in
from setbench.bench.cell.run_cell import make_predictor, make_task, run_cell
from setbench.bench.cell.train import Trainer
from setbench.bench.plan.cells import Cell, Request, asked_tasks, plan
from setbench.bench.plan.presets import Settings, load
from setbench.bench.records.record import Precision
from setbench.models.build import build_predictor
from setbench.models.catalogue import model_specs, parse
from setbench.models.interfaces import Predictor, TaskLoss
from setbench.sets import PredictedSets, SetBatch
from setbench.specs import SetSpec, VectorSpec
from setbench.tasks.interfaces import Split
from setbench.tasks.losses import hungarian

CPU = torch.device("cpu")
SETS = SetSpec(3, 5, slice(0, 2))
pytestmark = pytest.mark.usefixtures("one_thread")


class Product(Predictor):
    """x times a weight; notes what its forward and the loss compute in."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.tensor([[1.0 + 2**-10]]))
        self.seen: list[torch.dtype] = []

    def forward(self, inputs: Any, budget: int | None = None) -> Tensor:
        out = inputs @ self.weight
        self.seen.append(out.dtype)
        return out[:, 0]

    def losses(self, inputs: Any, targets: Any, task_loss: TaskLoss) -> dict[str, Tensor]:
        return {"task": task_loss(self(inputs), targets)}


class Noted:
    """A task whose loss notes the dtype of what it gets and whether autocast is on."""

    def __init__(self) -> None:
        self.seen: list[tuple[torch.dtype, bool]] = []

    def loss(self, prediction: Tensor, target: Tensor) -> Tensor:
        self.seen.append((prediction.dtype, torch.is_autocast_enabled("cpu")))
        return (prediction - target).square().mean()


@pytest.mark.parametrize(("precision", "inside"), [("float32", torch.float32), ("bf16", torch.bfloat16)])
def test_the_forward_alone_is_lowered(precision: Precision, inside: torch.dtype) -> None:
    model, task = Product(), Noted()
    split = Split(torch.ones(4, 1), torch.zeros(4))
    settings = Settings(steps=2, batch=4, learning_rate=0.5)
    trainer = Trainer(model, task, split, settings, 0, CPU, precision)  # type: ignore[arg-type]
    trainer.step(0)
    assert model.seen == [inside]
    assert task.seen == [(torch.float32, False)]
    assert {weight.dtype for weight in model.parameters()} == {torch.float32}
    moments = trainer.optimizer.state[model.weight]
    assert moments["exp_avg"].dtype == moments["exp_avg_sq"].dtype == torch.float32
    # Adam's first step is the rate: the weight is moved in float32, where 2**-10 beside 1 is not lost.
    assert model.weight.item() == pytest.approx(0.5 + 2**-10, abs=1e-6)
    for answers in (predict(model, split, CPU, precision)[""], predict_one(model, CPU, precision, "", split)):
        assert model.seen[-1] == inside
        assert answers.dtype == torch.float32


def test_a_loss_of_sets_is_that_of_float32() -> None:
    """The numbers that bfloat16 gave, matched and compared as float32 ones."""
    generator = torch.Generator().manual_seed(0)
    guess = PredictedSets(torch.rand(2, 5, 3, generator=generator), torch.rand(2, 5, generator=generator))
    low = PredictedSets(*(part.bfloat16() for part in guess))
    true = SetBatch(torch.rand(2, 5, 3, generator=generator), torch.ones(2, 5, dtype=torch.bool))
    wanted = hungarian(PredictedSets(*(part.float() for part in low)), true)
    with lowered(CPU, "bf16"):
        assert torch.equal(in_single(hungarian)(low, true), wanted)


def flags() -> tuple[bool, bool]:
    return torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32


def test_products_are_exact_unless_tf32_is_asked_for() -> None:
    """Torch's own default lets convolutions run in TF32."""
    before = flags()
    for precision, allowed in (("float32", False), ("tf32", True), ("bf16", False)):
        with products_in(precision):  # type: ignore[arg-type]
            assert flags() == (allowed, allowed)
            with products_in("float32"):
                assert flags() == (False, False)
            assert flags() == (allowed, allowed)
    assert flags() == before


def slopes(predictor: Predictor, sets: SetBatch, vectors: Tensor, precision: Precision) -> list[Tensor]:
    predictor.zero_grad()
    torch.manual_seed(1)
    with lowered(CPU, precision):
        losses = predictor.losses(vectors, sets, in_single(hungarian))
    assert {value.dtype for value in losses.values()} == {torch.float32}
    torch.stack(list(losses.values())).sum().backward()
    return [torch.zeros_like(w) if w.grad is None else w.grad.clone() for w in predictor.parameters()]


@pytest.mark.parametrize("row", model_specs("encoder"), ids=lambda row: row.name)
def test_dspn_goes_down_alike_in_bf16(row: Any) -> None:
    """Second derivatives through every encoder: every weight's gradient is there, and together they point where
    float32's do. (Single ones may differ: a standard deviation is a difference of like numbers.)"""
    generator = torch.Generator().manual_seed(0)
    sets = SetBatch(torch.rand(4, 5, 3, generator=generator), torch.ones(4, 5, dtype=torch.bool))
    vectors = torch.rand(4, 2, generator=generator)
    torch.manual_seed(0)
    decoder = parse("dspn:steps=2,step=0.1", ("decoder",))
    built = build_predictor(VectorSpec(2), SETS, encoder=row, decoder=decoder, latent=8, width=8).train()
    exact, low = (slopes(built, sets, vectors, precision) for precision in ("float32", "bf16"))
    assert [bool(slope.any()) for slope in low] == [bool(slope.any()) for slope in exact]
    joined = (torch.cat([slope.flatten() for slope in each]) for each in (exact, low))
    assert torch.cosine_similarity(*joined, dim=0) > 0.99


def test_the_sets_of_dspn_are_added_up_in_float32() -> None:
    for start in ("learned", "mlp"):
        decoder = parse(f"dspn:steps=2,step=0.1,start={start}", ("decoder",))
        encoder = parse("deep_sets", ("encoder",))
        built = build_predictor(VectorSpec(2), SETS, encoder=encoder, decoder=decoder, latent=8, width=8)
        with lowered(CPU, "bf16"):
            passed = built.trajectory(torch.rand(4, 2))
        assert {part.dtype for sets in passed for part in sets} == {torch.float32}


def cell(folder: Path, precision: Precision, task: str, model: str, decoder: str | None) -> Cell:
    preset = load("smoke").with_settings({"steps": 6})
    asked = Request(asked_tasks([task]), [model], [decoder] if decoder else [], (0,), preset, "cpu", None, folder)
    (found,) = (one for one in plan(replace(asked, precision=precision)) if not one.constant)
    return found


@pytest.mark.parametrize(
    ("task", "model", "decoder"),
    [("arithmetic_sum", "deep_sets", None), ("rotated_square", "fspool", "dspn")],
)
def test_a_cell_under_bf16(task: str, model: str, decoder: str | None, tmp_path: Path) -> None:
    """It ends, other than in float32 and near it; its invariance is that of float32 and float64."""
    low, _ = run_cell(cell(tmp_path, "bf16", task, model, decoder), tmp_path, None, lambda done, loss: None)
    exact, _ = run_cell(cell(tmp_path, "float32", task, model, decoder), tmp_path, None, lambda done, loss: None)
    assert low.curve.first != exact.curve.first
    assert low.curve.first == pytest.approx(exact.curve.first, rel=0.1)
    assert low.calibration == exact.calibration
    assert low.score is not None
    assert math.isfinite(low.score)
    assert low.invariance is not None
    assert low.invariance.dtype == "float32"
    assert low.invariance.max is not None
    assert low.invariance.max64 is not None
    assert low.invariance.max < 1e-5  # bfloat16's rounding would be a hundred times that
    assert low.invariance.max64 < 1e-13


def test_float32_is_what_it_was(tmp_path: Path) -> None:
    """Losses of a step of the trainer are those of the predictor's own, to the last bit."""
    one = cell(tmp_path, "float32", "rotated_square", "deep_sets", "dspn")
    task = make_task(one, tmp_path, None)
    predictor = make_predictor(one, task)
    trainer = Trainer(predictor, task, task.split("train"), one.settings, one.seed, CPU)
    trainer.calibrate()
    state = trainer.batches.state()
    found = trainer.step(0)
    again = make_predictor(one, task)
    again.load_state_dict(
        {**again.state_dict(), "decoder._extra_state": predictor.state_dict()["decoder._extra_state"]}
    )
    trainer.batches.restore(state)
    losses = again.losses(*trainer.batches.next(), task.loss)
    assert torch.equal(found, torch.stack(list(losses.values())).sum().detach())
