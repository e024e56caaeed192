"""What an experiment leaves in its folder, and its command line."""

import pandas as pd
import pytest

from setbench.bench.experiments.command import read_arguments
from setbench.bench.experiments.page import Page, publish
from setbench.bench.experiments.training import budget_text, cell
from setbench.bench.report.figures.style import new_figure


def test_a_page_says_what_was_run_and_every_run_is_kept(tmp_path, capsys):
    arguments = read_arguments("made_up", "about", steps=7, seeds=2, words=["--out", str(tmp_path), "--steps", "5"])
    assert (arguments.steps, arguments.seeds) == (5, 2)
    runs = pd.DataFrame({"model": ["a", "b"], "error": [0.25, 1e-9]})
    table = pd.DataFrame({"model": ["a", "b"], "error": ["0.25", "0.00"]})
    page = Page("A title", "A question?", ["By hand."], [("Means:", table)], ["a is 0.25 off."], "errors of a and b")
    publish(arguments, page, runs, new_figure(2, 2))
    pd.testing.assert_frame_equal(pd.read_csv(tmp_path / "runs.csv"), runs)
    assert (tmp_path / "figure.png").read_bytes().startswith(b"\x89PNG")
    text = (tmp_path / "README.md").read_text(encoding="utf-8")
    for part in ("# A title", "A question?", "figure.png", "a is 0.25 off.", "By hand.", "Seeds 0 to 1.", "torch 2."):
        assert part in text
    assert f"python -m setbench.bench.experiments.made_up --out {tmp_path} --steps 5" in text
    assert "0.25" in capsys.readouterr().out


@pytest.mark.parametrize("words", [["--steps", "0"], ["--seeds", "-1"], ["--steps", "many"]])
def test_numbers_out_of_range_are_refused(words, capsys):
    with pytest.raises(SystemExit, match="2"):
        read_arguments("made_up", "about", steps=7, seeds=2, words=words)
    assert "should be a whole number above 0" in capsys.readouterr().err


def test_cells_are_the_sweeps_with_what_was_changed():
    plain, changed = cell("arithmetic_sum", "deep_sets", 3), cell("arithmetic_sum", "deep_sets", 3, steps=9)
    assert changed.settings.steps == 9
    assert (changed.seed, changed.encoder) == (3, "deep_sets")
    assert changed.settings.batch == plain.settings.batch
    assert f"9 steps of {plain.settings.batch} sets" in budget_text(9)
    assert "learning rate 0.5 " in budget_text(9, 0.5)


def test_a_row_that_cannot_run_says_why():
    with pytest.raises(ValueError, match="coordinates"):
        cell("arithmetic_sum", "pointnet_plus_plus", 0)
