"""The shipped image encoder belongs to the renderer: it is used on no other's pictures."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from setbench.bench.cell import frozen_task
from setbench.bench.cell.frozen_task import FrozenTask
from setbench.bench.cell.run_cell import make_task
from setbench.bench.plan.cells import Request, asked_tasks, plan
from setbench.bench.plan.presets import load
from setbench.models.images.frozen import load_frozen
from setbench.tasks.catalogue import parse_task
from setbench.tasks.clevr.files.rendered import RenderedScenes
from setbench.tasks.no_data import NoData


def test_the_weights_are_those_of_todays_renderer(tmp_path: Path) -> None:
    assert load_frozen()[1]["pictures"] == RenderedScenes(tmp_path).key
    cell = plan(Request(asked_tasks(["clevr_state"]), [], ["mlp"], (0,), load("quick"), "cpu", None))[1]
    assert make_task(cell, tmp_path, None).input.size == load_frozen()[1]["latent"]


def test_pictures_of_another_renderer_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("setbench.tasks.clevr.files.rendered.RENDERER", "another")
    task = parse_task("clevr_state").make({"train": 1, "validation": 1, "test": 1}, tmp_path)
    with pytest.raises(
        NoData, match=r"are another-128px-3to10-seed0.*; python -m setbench\.bench\.maintenance\.pretrain"
    ):
        FrozenTask(task)


def test_features_are_those_of_the_weights_and_of_the_pictures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Other weights or other scenes: another file of features, so that no stale one is read."""
    sizes = {"train": 1, "validation": 1, "test": 1}
    task = parse_task("clevr_state").make(sizes, tmp_path)
    first = FrozenTask(task)._path("train")
    assert FrozenTask(task)._path("train") == first
    other = tmp_path / "other.pt"
    other.write_bytes(frozen_task.WEIGHTS.read_bytes() + b"x")
    with monkeypatch.context() as patch:
        patch.setattr(frozen_task, "WEIGHTS", other)
        assert FrozenTask(task)._path("train") != first
    identity = replace(task.identity, checksum=f"{task.identity.checksum}-other")
    monkeypatch.setattr(type(task), "identity", identity)
    assert FrozenTask(task)._path("train") != first
