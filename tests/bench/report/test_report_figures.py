"""What the figures are drawn from, and that no name lies on another."""

import itertools

from matplotlib.text import Annotation

from setbench.bench.report.figures.angle import angle_figure
from setbench.bench.report.figures.cost import front, time_figure
from setbench.bench.report.figures.invariance import moved
from setbench.bench.report.tables import tables


def test_front_holds_what_nothing_beats():
    points = [(1.0, 5.0), (2.0, 4.0), (3.0, 9.0), (3.0, 8.0), (9.0, 9.0)]
    assert front(points, higher_is_better=True) == [(1.0, 5.0), (3.0, 9.0)]
    assert front(points, higher_is_better=False) == [(1.0, 5.0), (2.0, 4.0)]


def test_names_lie_apart(fleet):
    table = next(table for table in tables(fleet) if table.key.task == "clevr_state")
    figure = time_figure(table)
    renderer = figure.canvas.get_renderer()
    names = [text for text in figure.axes[0].texts if isinstance(text, Annotation)]
    assert {name.get_text() for name in names} >= {"janossy:k=2 + dspn", "mlp decoder", "best constant answer"}
    boxes = [name.get_window_extent(renderer) for name in names]
    assert not any(one.overlaps(other) for one, other in itertools.combinations(boxes, 2))


def test_dollar_signs_are_no_mathematics(make):
    (table,) = tables([make.record("clevr_state", "$\\frac{$", score=1.0, paradigm="$x$")])
    time_figure(table).canvas.draw()
    assert table.models


def test_invariance_takes_the_worst_seed_of_every_task(make):
    records = [
        make.record(task, "a", encoder="a", seed=seed, invariance={"max": error, "max64": error / 1e9})
        for task, errors in {"clevr_state": (1e-7, 3e-7), "rotated_square": (2e-7,)}.items()
        for seed, error in enumerate(errors)
    ]
    control = make.record(
        "clevr_state", "c", encoder="c", invariance_claim="none", invariance={"max": 0.1, "max64": 0.1}
    )
    exact, none = moved(tables([control, *records]))
    assert (exact.encoder, sorted(exact.single)) == ("a", [2e-7, 3e-7])
    assert (none.encoder, none.claim) == ("c", "none")


def test_a_panel_a_model(fleet):
    table = next(table for table in tables(fleet) if table.key.task == "rotated_square")
    figure = angle_figure(table)
    titles = [axes.get_title(loc="left") for axes in figure.axes if axes.get_visible()]
    assert len(titles) == len(table.models)
    assert titles[0].replace("\n", " ") == table.models[0].label


def test_one_exploded_seed_does_not_flatten_the_others(make):
    flat = [
        make.record("rotated_square", f"row {n}", score=0.1, figures={"angle": [0.0, 45.0], "error": [0.0, worst]})
        for n, worst in enumerate((0.5, 0.7, 20_000.0))
    ]
    (table,) = tables(flat)
    figure = angle_figure(table)
    assert 0.7 < figure.axes[0].get_ylim()[1] < 5
    assert any("20,000" in text.get_text() for axes in figure.axes for text in axes.texts)


def test_many_models_carry_numbers(make):
    rows = [make.record("clevr_state", f"row {n}", score=50.0 - n, time={"train": 10.0 + n % 7}) for n in range(25)]
    (table,) = tables(rows)
    axes = time_figure(table).axes[0]
    numbers = {text.get_text() for text in axes.texts}
    assert "1" in numbers
    assert not any("row" in text for text in numbers)
    assert [text.get_text() for text in axes.get_legend().get_texts()] == [
        "permuting", "", "best first", *(f"{n + 1}  row {n}" for n in range(25))
    ]  # fmt: skip


def test_an_incomplete_row_is_marked_and_never_on_the_front(make):
    rows = [make.record("clevr_state", "b", seed=seed, score=50.0 + seed) for seed in range(2)]
    lucky = make.record("clevr_state", "lucky", score=99.0, time={"train": 1.0})
    (table,) = tables([*rows, lucky])
    texts = {text.get_text(): text.get_fontweight() for text in time_figure(table).axes[0].texts}
    assert (texts["b"], texts["lucky §"]) == ("bold", "normal")
