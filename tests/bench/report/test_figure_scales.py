"""What figures show: the front by brute force, an exploded row at the edge, whole keys, curves, truth beneath."""

from __future__ import annotations

import itertools
import random
import statistics
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from setbench.bench.records.predictions import Examples, Predictions
from setbench.bench.records.record import Record
from setbench.bench.report.figures.cost import MEMORY, TIME, dots, front, memory_figure, on_front, time_figure
from setbench.bench.report.figures.curves import curves_figure, named
from setbench.bench.report.figures.gallery import TRUTH, pictures_figure
from setbench.bench.report.figures.style import wrapped
from setbench.bench.report.figures.view import logarithmic, worst_shown
from setbench.bench.report.learning import curve, learning
from setbench.bench.report.predictions import Gallery, gallery
from setbench.bench.report.tables import Table, tables

STATE, SQUARE = "clevr_state", "rotated_square"


def one_table(records: list[Record]) -> Table:
    (table,) = tables(records)
    return table


@pytest.mark.parametrize("higher", [True, False])
def test_the_front_by_brute_force(higher: bool) -> None:
    rng = random.Random(1)
    sign = 1 if higher else -1
    for _ in range(50):
        points = [(rng.randrange(1, 9) * 1.0, rng.randrange(9) * 1.0) for _ in range(12)]

        def beaten(one: tuple[float, float], points: list[tuple[float, float]] = points) -> bool:
            return any(other != one and other[0] <= one[0] and sign * other[1] >= sign * one[1] for other in points)

        assert front(points, higher) == sorted({point for point in points if not beaten(point)})


def test_a_row_worse_than_the_constant_is_never_on_the_front(make: SimpleNamespace) -> None:
    """The fastest row and the smallest are worse than the constant; c is better by less than its interval."""
    scores = {"fast": [2.0, 2.0, 2.0], "a": [20.0, 20.1, 20.2], "b": [30.0, 30.1, 30.2], "c": [1.0, 7.0, 13.0]}
    records = [make.constant(STATE, 6.0)]
    for place, (row, values) in enumerate(scores.items()):
        for seed, value in enumerate(values):
            cost = {"time": {"train": 1.0 + place}, "peak_memory_mb": 10.0 + place}
            records.append(make.record(STATE, row, seed=seed, score=value, **cost))
    table = one_table(records)
    for cost, draw in ((TIME, time_figure), (MEMORY, memory_figure)):
        assert [dot.result.label for dot in on_front(table, dots(table, cost))] == ["a", "b"]
        texts = {text.get_text(): text.get_fontweight() for text in draw(table).axes[0].texts}
        assert {name for name, weight in texts.items() if weight == "bold"} == {"a", "b"}


def test_no_front_where_nothing_is_better(make: SimpleNamespace) -> None:
    table = one_table([make.constant(STATE, 6.0), make.record(STATE, "a", score=2.0)])
    figure = time_figure(table)
    assert on_front(table, dots(table, TIME)) == []
    assert "No row is better than the best constant answer" in figure.get_supxlabel()


@pytest.mark.parametrize(
    ("values", "floor", "higher", "worst"),
    [
        ([0.02, 0.05, 0.1, 0.15, 0.38, 23.0], 0.38, False, 0.38),  # 23 is far outside
        ([0.02, 0.05, 0.1, 0.15, 0.38, 0.7], 0.38, False, 0.7),  # no further behind the floor than the best before it
        ([95.0, 96.0, 97.0, 98.0, 5.0], None, True, 95.0),
        ([1.0, 1.0, 1.0, 1.0, 90.0], None, True, 1.0),  # a better row is never cut
        ([3.0], None, True, 3.0),
    ],
)
def test_what_is_shown(values: list[float], floor: float | None, higher: bool, worst: float) -> None:
    assert worst_shown(values, floor, higher) == worst


def test_only_errors_over_two_powers_of_ten_are_on_a_logarithmic_scale() -> None:
    wide, narrow = [0.01, 0.5, 1.01], [0.01, 0.5, 0.99]
    assert [logarithmic(wide, higher) for higher in (False, True)] == [True, False]
    assert not logarithmic(narrow, False)
    assert not logarithmic([0.0, 5.0], False)


def test_an_exploded_row_stands_at_the_edge_with_an_arrow(make: SimpleNamespace) -> None:
    scores = {"a": 0.02, "b": 0.05, "c": 0.1, "d": 0.15, "e": 0.38, "far": 23.0}
    records = [make.record(SQUARE, row, score=score) for row, score in scores.items()]
    figure = time_figure(one_table([make.constant(SQUARE, 0.384), *records]))
    axes = figure.axes[0]
    assert axes.get_ylim()[1] < 1
    assert "far ¶ ↑ 23.0" in {text.get_text() for text in axes.texts}
    assert "far outside the picture" in figure.get_supxlabel()


@pytest.mark.parametrize("rows", [3, 30, 66])
def test_keys_and_captions_are_whole(make: SimpleNamespace, rows: int) -> None:
    names = [f"a_very_long_name_of_a_row_{n}:option=value + dspn:steps=5" for n in range(rows)]
    records = [
        make.record(STATE, name, seed=seed, score=50.0 - n + seed, time={"train": 3.0 + n}, paradigm=paradigm)
        for n, (name, paradigm) in enumerate(zip(names, itertools.cycle(["sorting", "graphs", "control"])))
        for seed in (0, 1)
    ]
    table = one_table([make.constant(STATE, 0.5), *records])
    figure = time_figure(table)
    renderer = drawn(figure)
    width, height = figure.canvas.get_width_height()
    boxes = [text.get_window_extent(renderer) for text in figure.axes[0].get_legend().get_texts()]
    boxes.append(figure._supxlabel.get_window_extent(renderer))  # type: ignore[attr-defined]
    assert all(box.x0 >= 0 and box.x1 <= width and box.y0 >= 0 and box.y1 <= height for box in boxes)
    if rows > 18:
        texts = [text.get_text() for text in figure.axes[0].get_legend().get_texts()]
        assert texts[-rows:] == [f"{n + 1}  {name}" for n, name in enumerate(names)]


def drawn(figure: Figure) -> Any:
    canvas = figure.canvas
    assert isinstance(canvas, FigureCanvasAgg)
    canvas.draw()
    return canvas.get_renderer()


def learned(make: SimpleNamespace, row: str, seeds: list[list[float | None]], **changes: Any) -> list[Record]:
    found = []
    for seed, scores in enumerate(seeds):
        steps = [10 * (place + 1) for place in range(len(scores))]
        seconds = [(seed + 1) * step / 10 for step in steps]
        kept = {"validation_step": steps, "validation_seconds": seconds, "validation_score": scores}
        found.append(make.record(STATE, row, seed=seed, score=50.0, curve=kept, **changes))
    return found


def test_a_curve_is_the_median_over_seeds_where_all_have_a_score(make: SimpleNamespace) -> None:
    seeds: list[list[float | None]] = [[1.0, 5.0, 9.0], [2.0, 6.0, None], [9.0, 7.0, 9.5]]
    table = one_table(learned(make, "a", seeds))
    assert [point[1:] for point in curve(table.models[0])] == [(2.0, 2.0), (4.0, statistics.median([5.0, 6.0, 7.0]))]


def test_curves_name_the_best_of_each_paradigm(make: SimpleNamespace) -> None:
    rows: list[Record] = []
    for n in range(12):
        records = learned(make, f"row {n}", [[1.0, 10.0 + n]], paradigm=("sorting", "graphs")[n % 2])
        assert records[0].measured
        score = {"": dict.fromkeys(records[0].measured.metrics[""], 10.0 + n)}
        rows.append(
            records[0].model_copy(update={"measured": records[0].measured.model_copy(update={"metrics": score})})
        )
    table = one_table(rows)
    assert len(learning(table)) == 12
    assert [result.label for result, _ in named(learning(table))] == ["row 11", "row 10"]
    axes = curves_figure(table).axes[0]
    assert {text.get_text() for text in axes.texts} == {"row 11", "row 10"}
    lines = [line for line in axes.lines if line.get_marker() not in ("None", "")]
    styles = {(line.get_marker(), str(line.get_linestyle())) for line in lines}
    assert len(styles) == 2  # told apart without colour
    assert len({line.get_marker() for line in lines}) == 2


def test_no_curves_without_validation(make: SimpleNamespace) -> None:
    assert learning(one_table([make.record(STATE, "a")])) == []


def test_true_boxes_lie_dashed_beneath_the_predicted(make: SimpleNamespace) -> None:
    true = np.array([[[0.1, 0.2, 0.5, 0.6]]], np.float32)
    examples = Examples(np.zeros((1, 40, 40, 3), np.uint8), true, np.ones((1, 1), bool))
    other = Predictions((true + 0.2)[None].astype("f2"), np.ones((1, 1, 1), "f2"))
    table = one_table([make.record("clevr_box", "mlp decoder", decoder="mlp")])
    seen = Gallery(table, "boxes", examples, [(table.models[0], other)], None)
    _, truth, answer = pictures_figure(seen).axes[:3]
    boxes = [patch for patch in answer.patches if isinstance(patch, Rectangle)]
    assert [(to_hex(box.get_edgecolor()), box.get_linestyle() in ("-", "solid")) for box in boxes] == [
        (TRUTH, False),
        ("#ffffff", True),
    ]
    assert boxes[0].get_xy() == pytest.approx((0.1 * 40 - 0.5, 0.2 * 40 - 0.5))
    assert boxes[1].get_xy() == pytest.approx((0.3 * 40 - 0.5, 0.4 * 40 - 0.5), abs=0.05)
    assert [to_hex(patch.get_edgecolor()) for patch in truth.patches if isinstance(patch, Rectangle)] == [TRUTH]


@pytest.mark.parametrize("encoders", [True, False])
def test_the_way_to_an_answer_is_an_encoders_where_there_is_one(
    make: SimpleNamespace, tmp_path: Path, encoders: bool
) -> None:
    from setbench.bench.records.predictions import save

    true = np.zeros((6, 4, 2), np.float32)
    examples = Examples(None, true, np.ones((6, 4), bool))
    records = [make.record(SQUARE, "raw + dspn", id="c", decoder="dspn", paradigm="control", score=0.1)]
    if encoders:
        records += [make.record(SQUARE, f"e{n} + dspn", id=f"e{n}", decoder="dspn", score=0.5 + n) for n in range(7)]
    for record in records:
        save(tmp_path, record.id, examples, Predictions(np.stack([true] * 3).astype("f2"), np.ones((3, 6, 4), "f2")))
    seen = gallery(one_table(records), tmp_path)
    assert seen is not None
    assert seen.iterative is not None
    assert seen.iterative[0].label == ("e0 + dspn" if encoders else "raw + dspn")


def test_a_name_is_wrapped_whole() -> None:
    text = wrapped("set_transformer:variant=code + dspn:steps=5", 21)
    assert text == "set_transformer:\nvariant=code\n+ dspn:steps=5"
    assert wrapped("mlp decoder", 21) == "mlp decoder"
