import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from setbench.tasks.clevr.fidelity import measure
from setbench.tasks.clevr.fidelity.__main__ import main
from setbench.tasks.clevr.fidelity.colours import Median, medians
from setbench.tasks.clevr.fidelity.errors import Errors, errors
from setbench.tasks.clevr.fidelity.page import page
from setbench.tasks.clevr.files import clevr_json
from setbench.tasks.clevr.files.sample import sample
from setbench.tasks.clevr.render.picture import render
from setbench.tasks.clevr.scenes import constants as c


def test_errors_by_hand() -> None:
    """Of eight pixels two belong to an object, one of them off by (3, 6, 0); a background pixel is off by 6."""
    theirs = np.full((2, 2, 2, 3), 100, np.uint8)
    ours, ids = theirs.copy(), np.full((2, 2, 2), -1, np.int8)
    ids[0, 0, :] = 4
    ours[0, 0, 0] = 97, 106, 100
    ours[1, 1, 1] = 94
    assert errors(ours, theirs, ids) == Errors(objects=1.5, background=1.0, whole=9 / 8)
    assert np.isnan(errors(ours, theirs, np.full_like(ids, -1)).objects)


def test_our_own_pictures_in_the_place_of_the_real_ones(tmp_path: Path) -> None:
    """Only the fit of the camera stands between them, and at 128x128 that one is drawn small, the other shrunk."""
    for split, seed in (("train", 1), ("val", 2)):
        scenes = sample(seed, 0, 0, 1)
        scenes = dataclasses.replace(scenes, lights=np.array([c.LIGHTS], np.float32))
        content = clevr_json.write(scenes, split)
        del content["scenes"][0]["camera_location"], content["scenes"][0]["light_locations"]
        (tmp_path / "images" / split).mkdir(parents=True)
        (tmp_path / "scenes").mkdir(exist_ok=True)
        (tmp_path / "scenes" / f"CLEVR_{split}_scenes.json").write_text(json.dumps(content))
        picture = render(scenes, 480, 320)[0].permute(1, 2, 0).numpy()
        Image.fromarray(picture).save(tmp_path / "images" / split / content["scenes"][0]["image_filename"])
    rows, pairs = measure.real_pictures(tmp_path)
    assert pairs.names == ["CLEVR_train_000000", "CLEVR_val_000000"]
    found = {(row.what, row.width): row.errors for row in rows}
    for width in (128, 480):
        assert found["ours", width].whole < 0.5
        assert found["ours", width].objects < 2
        assert found["background only", width].objects > 20


def test_medians_follow_the_albedo() -> None:
    """Yellow rubber is brighter in red than in blue as its albedo is, gray is gray."""
    found = {(one.colour, one.material): one for one in medians(24, seed=3)}
    red, _, blue = found["yellow", "rubber"].rgb
    assert red > 1.5 * blue
    assert np.ptp(found["gray", "rubber"].rgb) < 8
    assert sum(one.objects for one in found.values()) == pytest.approx(24 * 6.4, rel=0.3)


def test_page_says_what_was_missed() -> None:
    row = measure.Row("ours", 128, 128, 20, Errors(21.0, 3.0, 4.0))
    ours = [Median("red", "metal", (90.0, 40.0, 40.0), 3)]
    real = {("red", "metal"): Median("red", "metal", (97.0, 40.0, 40.0), 9)}
    text = page([row], [row], ours, real, 5, [], "python it")
    assert "background under 4 (met), objects under 20 (missed)" in text
    assert "off by 7.0. Aim: within 6 (missed)" in text
    assert "| red metal | 90 40 40 | 97 40 40 | -7.0 +0.0 +0.0 | 3 | 9 |" in text


def test_missing_files_are_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--data", str(tmp_path)]) == 1
    assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.data
def test_aims_on_some_real_pictures(clevr: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measure, "OF_EACH", 4)
    monkeypatch.setattr(measure, "SIZES", ((128, 128),))
    (ours, floor), _ = measure.real_pictures(clevr.parent)
    assert ours.pictures == 8
    assert ours.errors.background < 4.5
    assert ours.errors.objects < 10
    assert floor.errors.objects > 40
