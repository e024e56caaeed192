"""The shipped image encoder belongs to the renderer: it is used on no other's pictures."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from setbench.bench.cell.features import freeze
from setbench.bench.cell.run_cell import make_task
from setbench.bench.plan.cells import Request, plan
from setbench.bench.plan.presets import load
from setbench.models.images.frozen import load_frozen
from setbench.tasks.clevr.files.rendered import RenderedScenes
from setbench.tasks.interfaces import NoData


def test_the_weights_are_those_of_todays_renderer(tmp_path: Path) -> None:
    assert load_frozen()[1]["pictures"] == RenderedScenes(tmp_path).key
    cell = plan(Request(["clevr_state"], [], ["mlp"], (0,), load("quick"), "cpu", None))[1]
    assert make_task(cell, tmp_path, None).input.size == load_frozen()[1]["latent"]


@pytest.mark.parametrize("kind", ["rendered", "rendered to real"])
def test_pictures_of_another_renderer_are_refused(kind: str, tmp_path: Path) -> None:
    task: Any = SimpleNamespace(identity=SimpleNamespace(kind=kind, checksum="another-128px-3to10-seed0"))
    with pytest.raises(
        NoData, match=r"are another-128px-3to10-seed0; python -m setbench\.bench\.maintenance\.pretrain"
    ):
        freeze(task)
