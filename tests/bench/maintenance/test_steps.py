"""A timed step of every row of a preset, on made-up data of the tasks' shapes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from setbench.bench.maintenance import steps
from setbench.bench.maintenance.steps import made_up, main
from setbench.bench.plan.cells import Request, asked_tasks, plan
from setbench.bench.plan.estimate import step_key
from setbench.bench.plan.presets import load
from setbench.sets import SetBatch
from setbench.specs import ImageSpec, LabelSpec, NumberSpec, SetSpec, VectorSpec

TASKS = ["arithmetic_sum", "rotated_square", "set_digits", "set_digits_classes", "clevr_state"]


def test_every_row_is_timed_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of every kind of task: numbers, labels, sets from vectors, from sets and from frozen codes."""
    kept = tmp_path / "steps.json"
    kept.write_text('{"other": 1.0}')
    monkeypatch.setattr(steps, "STEPS", kept)
    own = tmp_path / "own.toml"
    own.write_text(
        'extends = "smoke"\n[rows]\nencoders = ["deep_sets"]\ndecoders = ["mlp", "dspn:steps=1"]\n'
        '[all]\nimage_encoder = "frozen"\n'
    )
    cells = plan(Request(asked_tasks(TASKS), None, None, (0,), load(str(own)), "cpu", None))
    keys = {step_key(cell) for cell in cells if not cell.constant}
    threads = torch.get_num_threads()
    try:
        assert main([str(own), *TASKS]) == 0
        found = json.loads(kept.read_text())
        assert set(found) == keys | {"other"}
        assert all(cost > 0 for cost in found.values())
        assert capsys.readouterr().out.count("ms a step") == len(keys) == 8
        assert main([str(own), *TASKS]) == 0
        assert capsys.readouterr().out == ""
    finally:
        torch.set_num_threads(threads)


def test_an_unknown_preset_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["quik"])
    assert "did you mean 'quick'?" in capsys.readouterr().err.splitlines()[-1]


def test_made_up_data_have_the_shapes() -> None:
    sets = made_up(SetSpec(3, 7), 50)
    assert isinstance(sets, SetBatch)
    assert sets.elements.shape == (50, 7, 3)
    assert not sets.elements[~sets.mask].any()
    assert {1, 7} <= set(sets.mask.sum(dim=1).tolist()) <= set(range(1, 8))
    vectors, labels, numbers = made_up(VectorSpec(4), 50), made_up(LabelSpec(3), 50), made_up(NumberSpec(), 50)
    pictures = made_up(ImageSpec(3, 8, 9), 2)
    assert vectors.shape == (50, 4)
    assert set(labels.tolist()) == {0, 1, 2}
    assert numbers.shape == (50,)
    assert (pictures.shape, pictures.dtype) == ((2, 3, 8, 9), torch.uint8)
