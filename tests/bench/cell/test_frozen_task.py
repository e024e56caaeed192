"""The shipped image encoder belongs to the renderer: it is used on no other's pictures."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from setbench.bench.cell import frozen_task
from setbench.bench.cell.frozen_task import FrozenTask
from setbench.bench.cell.run_cell import make_task
from setbench.bench.plan.cells import Request, asked_tasks, plan
from setbench.bench.plan.presets import load
from setbench.models.entry import FROZEN
from setbench.models.images.frozen import load_frozen
from setbench.tasks.catalogue import parse_task
from setbench.tasks.clevr.files.rendered import RenderedScenes
from setbench.tasks.clevr.states import present, states
from setbench.tasks.interfaces import Split
from setbench.tasks.no_data import NoData

GOLDEN = Path(__file__).parents[2] / "tasks" / "clevr" / "golden.npz"
"""Eight scenes and their pictures."""


@pytest.mark.parametrize(("name", "head"), [("frozen", "questions"), ("frozen_map", "map")])
def test_the_weights_are_those_of_todays_renderer(name: str, head: str, tmp_path: Path) -> None:
    about = load_frozen(name)[1]
    assert (about["pictures"], about["head"]) == (RenderedScenes(tmp_path).key, head)
    preset = replace(load("quick"), chosen={"image_encoder": name})
    cell = plan(Request(asked_tasks(["clevr_state"]), [], ["mlp"], (0,), preset, "cpu", None))[1]
    task = make_task(cell, tmp_path, None)
    assert task.input.size == about["latent"]
    assert task.notes[0] == f"frozen features ({head})"


def test_pictures_of_another_renderer_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("setbench.tasks.clevr.files.rendered.RENDERER", "another")
    task = parse_task("clevr_state").make({"train": 1, "validation": 1, "test": 1}, tmp_path)
    with pytest.raises(
        NoData, match=r"are another-128px-3to10-seed0.*; python -m setbench\.bench\.maintenance\.pretrain"
    ):
        FrozenTask(task, "frozen")


def test_features_are_those_of_the_weights_and_of_the_pictures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Other weights or other scenes: another file of features, so that no stale one is read."""
    sizes = {"train": 1, "validation": 1, "test": 1}
    task = parse_task("clevr_state").make(sizes, tmp_path)
    first = FrozenTask(task, "frozen")._path("train")
    assert FrozenTask(task, "frozen")._path("train") == first
    other = tmp_path / "other.pt"
    other.write_bytes(frozen_task.weights_of("frozen").read_bytes() + b"x")
    with monkeypatch.context() as patch:
        patch.setattr(frozen_task, "weights_of", lambda name: other)
        assert FrozenTask(task, "frozen")._path("train") != first
    identity = replace(task.identity, checksum=f"{task.identity.checksum}-other")
    monkeypatch.setattr(type(task), "identity", identity)
    assert FrozenTask(task, "frozen")._path("train") != first


def test_codes_are_standardised_over_the_training_split(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By numpy, from codes that lie there: the test split by the training split's mean and deviation; a feature that
    never varies becomes 0."""
    frozen = FrozenTask(parse_task("clevr_state").make({"train": 6, "validation": 2, "test": 3}, tmp_path), "frozen")
    monkeypatch.setattr(type(frozen.inner), "split", lambda self, name: Split(None, torch.zeros(self.sizes[name])))
    random = np.random.default_rng(0)
    codes = {name: random.normal(5, 3, (count, 4)).astype(np.float32) for name, count in frozen.sizes.items()}
    for name, code in codes.items():
        code[:, 2] = 7.0
        frozen._path(name).parent.mkdir(parents=True, exist_ok=True)
        np.save(frozen._path(name), code)
    train = codes["train"]
    spread = np.sqrt(((train - train.mean(0)) ** 2).mean(0))
    spread[2] = 1
    for name, code in codes.items():
        np.testing.assert_allclose(frozen.split(name).inputs.numpy(), (code - train.mean(0)) / spread, atol=1e-5)


@pytest.mark.parametrize("name", FROZEN)
def test_the_shipped_encoders_find_the_objects_of_the_pictures(name: str) -> None:
    """The code of a picture is nearer to the code of its own objects than to that of any other picture's."""
    with np.load(GOLDEN) as file:
        kept = dict(file)
    encoder = load_frozen(name)[0]
    objects, real = states(kept["records"]), present(kept["records"])
    with torch.no_grad():
        seen = encoder(torch.from_numpy(kept["pictures"]).float() / 255)
        true = encoder.code_of_sets(torch.from_numpy(objects), torch.from_numpy(real).float())
    apart = torch.cdist(seen, true)
    assert apart.argmin(dim=1).tolist() == list(range(8))
    assert apart.diagonal().max() < 0.5 * apart[~torch.eye(8, dtype=torch.bool)].mean()
