"""Which rows are drawn beside the truth, and that what is drawn is what was kept."""

from pathlib import Path

import numpy as np
import pytest
from matplotlib.collections import PathCollection

from setbench.bench.records.predictions import Examples, Predictions, save
from setbench.bench.report.figures.gallery import pictures_figure, steps_figure
from setbench.bench.report.predictions import MODELS, gallery
from setbench.bench.report.tables import tables
from setbench.bench.report.write import write_report

TRUE = np.array([[[1, 0], [0, 1], [-1, 0], [0, -1]]] * 6, np.float32)
EXAMPLES = Examples(None, TRUE, np.ones((6, 4), bool))


def keep(folder: Path, identity: str, passes: int, off: float = 0.25, presence: float = 1.0) -> None:
    elements = np.stack([TRUE + off * (passes - 1 - k) for k in range(passes)])
    save(folder, identity, EXAMPLES, Predictions(elements.astype("f2"), np.full((passes, 6, 4), presence, "f2")))


@pytest.fixture
def records(make, tmp_path):
    """Ten rows: the mlp's is last, every other a DSPN's; one kept nothing."""
    found = []
    for place in range(9):
        name = f"e{place} + dspn"
        found.append(make.record("rotated_square", name, id=f"d{place}", decoder="dspn", score=0.1 * (place + 1)))
        if place != 1:
            keep(tmp_path, f"d{place}", 11)
    found.append(make.record("rotated_square", "mlp decoder", id="m", decoder="mlp", score=5.0))
    keep(tmp_path, "m", 1)
    return found


def test_every_decoder_is_shown(records, tmp_path):
    (table,) = tables(records)
    seen = gallery(table, tmp_path)
    assert [result.label for result, _ in seen.rows] == [
        "e0 + dspn",
        "e2 + dspn",
        "e3 + dspn",
        "e4 + dspn",
        "mlp decoder",
    ]
    assert len(seen.rows) == MODELS
    assert seen.iterative[0].label == "e0 + dspn"
    assert gallery(table, tmp_path / "elsewhere") is None


def points(axes) -> np.ndarray:
    (drawn,) = (part for part in axes.collections if isinstance(part, PathCollection))
    return np.asarray(drawn.get_offsets())


def test_steps_go_from_the_start_to_the_answer(records, tmp_path):
    figure = steps_figure(gallery(tables(records)[0], tmp_path))
    first = figure.axes[:6]
    assert [axes.get_title("left") for axes in first] == ["step 0", "step 2", "step 5", "step 8", "step 10", "truth"]
    for axes, step in zip(first, (0, 2, 5, 8, 10, 10), strict=True):
        assert points(axes) == pytest.approx(TRUE[0] + 0.25 * (10 - step))


def test_pictures_show_the_answers(records, tmp_path):
    figure = pictures_figure(gallery(tables(records)[0], tmp_path))
    assert len(figure.axes) == 6 * (1 + MODELS)
    assert all(points(axes) == pytest.approx(TRUE[0]) for axes in figure.axes)


def test_absent_slots_are_not_drawn(make, tmp_path):
    keep(tmp_path, "x", 1, presence=0.0)
    (table,) = tables([make.record("rotated_square", "mlp decoder", id="x", decoder="mlp")])
    figure = pictures_figure(gallery(table, tmp_path))
    assert not figure.axes[1].collections
    assert figure.axes[0].collections


def test_drawings_are_in_the_papers_units(make, tmp_path):
    """What a row's models saw centred is drawn where the picture has it; a row of unit coordinates as it is kept."""
    true = np.array([[[0.0, 1.0], [0.25, 0.5]]] * 6, "f4")
    for how, kept, away in (("centred", 4 * true - 2, 0.1), ("unit", true, 0.4)):
        folder = tmp_path / how
        settings = {"task_options": {"coordinates": how}}
        record = make.record("set_digits", "a + dspn", id="d", decoder="dspn", settings=settings)
        examples = Examples(None, kept, np.ones((6, 2), bool))
        save(folder, "d", examples, Predictions((kept[None] + 0.4).astype("f2"), np.ones((1, 6, 2), "f2")))
        found = gallery(tables([record])[0], folder)
        np.testing.assert_allclose(found.examples.elements, true, atol=1e-6)
        np.testing.assert_allclose(found.rows[0][1].elements[0], true + away, atol=1e-3)


def test_pictures_are_in_the_report_where_they_are_asked_for(records, tmp_path):
    without = write_report(records, tmp_path)
    assert not [path for path in without if "pictures" in path.name or "steps" in path.name]
    names = {path.name for path in write_report(records, tmp_path, predictions=True)}
    assert {"rotated_square_pictures.png", "rotated_square_steps.png"} <= names
    text = (tmp_path / "leaderboard.md").read_text()
    assert "figures/rotated_square_steps.png" in text
