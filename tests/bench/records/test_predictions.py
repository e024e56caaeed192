"""What a cell keeps for figures, from the predictor to the file and back."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from setbench.bench.cell.evaluate import sample_predictions
from setbench.bench.cell.run_cell import make_predictor, make_task
from setbench.bench.plan.cells import Cell, Request, asked_tasks, plan
from setbench.bench.plan.presets import load as load_preset
from setbench.bench.records.predictions import EXAMPLES, Examples, Predictions, load, save


def cell(task: str, models: list[str], decoders: list[str]) -> Cell:
    request = Request(asked_tasks([task]), models, decoders, [0], load_preset("smoke"), "cpu", None)
    return plan(request)[-1]


def test_all_sets_that_dspn_passes_through_are_kept(tmp_path: Path) -> None:
    one = cell("rotated_square", ["deep_sets"], ["dspn:steps=3,step=0.5"])
    task = make_task(one, tmp_path, None)
    predictor = make_predictor(one, task).eval()
    test = task.split("test")
    found = sample_predictions(predictor, task, "test", test, torch.device("cpu"))
    assert found is not None
    examples, predictions = found
    assert predictions.elements.shape == (4, EXAMPLES, 4, 2)
    places = [len(test) * (2 * k + 1) // (2 * EXAMPLES) for k in range(EXAMPLES)]
    assert np.array_equal(examples.elements, test.targets.elements[places].numpy())
    with torch.no_grad():
        answer = predictor(test.inputs[places], next(iter(predictor.variants().values())))
    assert predictions.elements[-1] == pytest.approx(answer.elements.numpy(), abs=2e-3)
    assert predictions.presence[-1] == pytest.approx(answer.presence.numpy(), abs=2e-3)
    assert np.abs(predictions.elements[0] - predictions.elements[-1]).max() > 1e-3
    assert np.ptp(predictions.elements[0].astype(float), axis=0).max() == 0  # one learned start for all
    assert examples.images is None


def test_labels_have_no_picture(tmp_path: Path) -> None:
    one = cell("arithmetic_sum", ["deep_sets"], [])
    task = make_task(one, tmp_path, None)
    assert sample_predictions(make_predictor(one, task), task, "test", task.split("test"), torch.device("cpu")) is None


def test_frozen_features_show_the_pictures_that_they_are_of(tmp_path: Path) -> None:
    one = cell("rotated_square", [], ["mlp"])
    task: Any = make_task(one, tmp_path, None)
    pictures = torch.arange(32, dtype=torch.uint8)[:, None, None, None].expand(32, 3, 2, 4)
    test = task.split("test")
    task.pictures = lambda name: pictures
    found = sample_predictions(make_predictor(one, task), task, "test", test, torch.device("cpu"))
    assert found is not None
    assert found[0].images.shape == (EXAMPLES, 2, 4, 3)
    assert found[0].images[:, 0, 0, 0].tolist() == [2, 8, 13, 18, 24, 29]


def test_files_come_back_and_examples_are_kept_once(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    examples = Examples(
        rng.integers(0, 256, (2, 4, 4, 3), dtype=np.uint8), rng.random((2, 5, 2), np.float32), rng.random((2, 5)) > 0.5
    )
    predictions = Predictions(rng.random((3, 2, 5, 2)).astype("f2"), rng.random((3, 2, 5)).astype("f2"))
    for name in ("a", "b"):
        save(tmp_path, name, examples, predictions)
    assert len(list((tmp_path / "pictures").glob("examples-*.npz"))) == 1
    assert len(list((tmp_path / "pictures").iterdir())) == 3
    name, true, found = load(tmp_path, "b") or pytest.fail("nothing kept")
    assert name == (load(tmp_path, "a") or pytest.fail("nothing kept"))[0]
    for before, after in ((examples.images, true.images), (examples.elements, true.elements)):
        assert np.array_equal(before, after)
    assert np.array_equal(examples.mask, true.mask)
    assert np.array_equal(predictions.elements, found.elements)
    assert np.array_equal(predictions.presence, found.presence)
    assert load(tmp_path, "c") is None
    whole = (tmp_path / "pictures" / "a.npz").read_bytes()
    for damage in (b"", whole[: len(whole) // 2], whole.replace(b"PK", b"QK"), whole[:200] + b"x" * 40 + whole[240:]):
        (tmp_path / "pictures" / "a.npz").write_bytes(damage)
        assert load(tmp_path, "a") is None
    save(tmp_path, "d", Examples(None, examples.elements, examples.mask), predictions)
    assert (load(tmp_path, "d") or pytest.fail("nothing kept"))[1].images is None
