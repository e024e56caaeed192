"""The published cells and their made-up data; the steps themselves take minutes and are run by hand."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from types import ModuleType

import pytest
import torch

from setbench.bench.cell.run_cell import make_task
from setbench.bench.maintenance.steps import made_up_split
from setbench.bench.plan.estimate import STEPS, step_key
from setbench.specs import ImageSpec


@pytest.fixture(scope="module")
def published() -> ModuleType:
    spec = importlib.util.spec_from_file_location("published_step", Path(__file__).with_name("published_step.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_cells_are_the_papers(published: ModuleType) -> None:
    found = [(cell.task, cell.row, cell.settings.width, cell.settings.batch) for cell in published.cells("cpu")]
    expected = []
    for task in ("clevr_box", "clevr_state"):
        expected += [(task, row, 512, 32) for row in ("mlp:presence=0.0 decoder", "lstm:presence=0.0 decoder")]
        expected += [(task, "relation_fspool + dspn:step=paper", 512, 32)]
    expected += [("set_mnist", f"fspool + {name}", 256, 32) for name in ("mlp", "lstm", "dspn:step=paper")]
    assert found[:9] == expected
    assert all(cell.settings.image_encoder == "resnet34" for cell in published.cells("cpu"))
    arithmetic = {(cell.task, cell.row) for cell in published.cells("cpu")[9:]}
    assert len(arithmetic) == len(found) - 9 == 5 * 10


def test_every_published_cell_has_a_timed_step(published: ModuleType) -> None:
    """Of both presets, so that --dry-run says how long they take."""
    kept = json.loads(STEPS.read_text(encoding="utf-8"))
    assert {step_key(cell) for cell in published.cells("cpu", *published.PAPERS)} <= set(kept)
    assert all(cost > 0 for cost in kept.values())


@pytest.mark.parametrize("row", ["janossy:k=2,rho=tanh,hidden=1,activation=tanh,shorten=True", "pi_sgd:rho=none"])
def test_a_step_on_arithmetic(published: ModuleType, row: str) -> None:
    cell = next(cell for cell in published.cells("cpu") if cell.row == row)
    seconds, parameters = published.seconds_a_step(cell, 1)
    assert seconds > 0
    assert parameters == {"j": 3061 + 3170, "p": 30_400 + 51}[row[0]]


@pytest.mark.parametrize(
    ("task", "features", "size"), [("set_mnist", 2, 342), ("clevr_box", 4, 10), ("clevr_state", 18, 10)]
)
def test_the_data_have_the_tasks_shape(
    published: ModuleType, tmp_path: Path, task: str, features: int, size: int
) -> None:
    cell = next(cell for cell in published.cells("cpu") if cell.task == task)
    made = make_task(cell, tmp_path, None)
    split = made_up_split(made, 32)
    elements, mask = split.targets
    assert elements.shape == (32, size, features)
    assert mask.sum(dim=1).min() >= 3
    assert mask.sum(dim=1).max() <= size
    assert not elements[~mask].any()
    if isinstance(made.input, ImageSpec):
        assert split.inputs.shape == (32, 3, 128, 128)
        assert split.inputs.dtype == torch.uint8
    else:
        assert split.inputs is split.targets
