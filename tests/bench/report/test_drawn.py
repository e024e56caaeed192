"""A figure whose records did not change is not drawn again."""

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from setbench.bench.records.predictions import Examples, Predictions, save
from setbench.bench.records.record import Record
from setbench.bench.report import write_report
from setbench.bench.report.drawn import drawing_code, drawn_from


@pytest.fixture
def records(make: SimpleNamespace) -> list[Record]:
    tasks = ("clevr_state", "set_digits_classes")
    return [make.record(task, row, score=2.0 + len(row)) for task in tasks for row in ("a", "bb")]


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the figures that are drawn, one after another."""
    names: list[str] = []
    from setbench.bench.report.figures import style

    save: Callable[..., None] = style.save

    def counted(figure: object, path: Path, source: str) -> None:
        names.append(path.stem)
        save(figure, path, source)

    monkeypatch.setattr(style, "save", counted)
    return names


def stamps(folder: Path) -> dict[str, tuple[int, bytes]]:
    return {path.stem: (path.stat().st_mtime_ns, path.read_bytes()) for path in (folder / "figures").iterdir()}


def test_only_the_figures_of_changed_records_are_drawn(records: list[Record], drawn: list[str], tmp_path: Path) -> None:
    write_report(records, tmp_path)
    assert sorted(drawn) == [
        "clevr_state_memory", "clevr_state_time", "invariance", "set_digits_classes_memory", "set_digits_classes_time"
    ]  # fmt: skip
    first = stamps(tmp_path)
    elsewhere = [one.model_copy(update={"finished": "2030-01-01", "command": "another"}) for one in records]
    write_report(elsewhere, tmp_path)
    assert stamps(tmp_path) == first
    drawn.clear()
    assert records[0].measured is not None
    other = records[0].measured.model_copy(
        update={"metrics": {"": dict.fromkeys(records[0].measured.metrics[""], 9.0)}}
    )
    write_report([records[0].model_copy(update={"measured": other}), *records[1:]], tmp_path)
    assert sorted(drawn) == ["clevr_state_memory", "clevr_state_time", "invariance"]
    second = stamps(tmp_path)
    assert second["set_digits_classes_time"] == first["set_digits_classes_time"]
    assert second["clevr_state_time"][1] != first["clevr_state_time"][1]


def test_other_drawing_code_draws_again(
    records: list[Record], drawn: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_report(records[:2], tmp_path)
    drawn.clear()
    assert len(drawing_code()) == 64
    monkeypatch.setattr("setbench.bench.report.drawn.drawing_code", lambda: "other")
    write_report(records[:2], tmp_path)
    assert sorted(drawn) == ["clevr_state_memory", "clevr_state_time", "invariance"]


def test_a_damaged_figure_is_drawn_again(records: list[Record], drawn: list[str], tmp_path: Path) -> None:
    (path,) = (path for path in write_report(records[:2], tmp_path) if path.stem == "clevr_state_time")
    whole = path.read_bytes()
    drawn.clear()
    path.write_bytes(whole[: len(whole) // 2])
    assert drawn_from(path) is None
    write_report(records[:2], tmp_path)
    assert drawn == ["clevr_state_time"]
    assert path.read_bytes() == whole


def test_a_figure_without_records_is_removed_and_the_users_own_stays(records: list[Record], tmp_path: Path) -> None:
    from PIL import Image

    write_report(records, tmp_path)
    own = tmp_path / "figures" / "my_own.png"
    Image.new("RGB", (2, 2)).save(own)
    write_report(records[:2], tmp_path)
    assert set(stamps(tmp_path)) == {"clevr_state_memory", "clevr_state_time", "invariance", "my_own"}


def test_pictures_of_other_predictions_are_drawn_again(make: SimpleNamespace, drawn: list[str], tmp_path: Path) -> None:
    true = np.array([[[1, 0], [0, 1], [-1, 0], [0, -1]]] * 6, np.float32)
    record = make.record("rotated_square", "mlp decoder", id="m", decoder="mlp", score=5.0)
    for off in (0.25, 0.25, 0.5):
        elements = (true + off)[None].astype("f2")
        save(
            tmp_path, "m", Examples(None, true, np.ones((6, 4), bool)), Predictions(elements, np.ones((1, 6, 4), "f2"))
        )
        write_report([record], tmp_path, predictions=True)
    assert drawn.count("rotated_square_pictures") == 2
    assert drawn.count("rotated_square_time") == 1
    write_report([record], tmp_path)  # without --figures they stay
    assert "rotated_square_pictures" in stamps(tmp_path)
