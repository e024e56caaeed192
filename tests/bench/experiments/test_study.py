"""The frame of the experiments: rates by validation, lines that are resumed, what a page admits."""

import json
import math
from dataclasses import replace

import pandas as pd
import pytest

from setbench.bench.cell.train import Diverged
from setbench.bench.experiments import command, page, study
from setbench.bench.experiments.command import main
from setbench.bench.experiments.study import Fit, Line, Lines, Report, Run, Study, carry_out, few, measures, scaled
from setbench.bench.report.figures.style import new_figure

BEST = {"a": 1e-3, "b": 3e-2}
"""The rate that each setting of the made-up study does best with; b's lies at an edge, and 0.09 beyond is better."""


class MadeUp:
    """Counts what is trained. The error is the distance of the rate from the best, in factors of e."""

    def __init__(self) -> None:
        self.runs: list[tuple[str, Run]] = []

    def fit(self, setting: study.Setting, run: Run) -> Fit:
        name = setting["name"]
        self.runs.append((name, run))
        best = BEST[name] if name == "a" else 0.09
        return Fit(abs(math.log(run.rate / best)), lambda: [{"x": x, "score": run.rate + x} for x in (1, 2)])

    def study(self) -> Study:
        return Study(
            name="made_up",
            title="A title",
            question="A question?",
            method=["By hand."],
            limits=["Not all."],
            settings=lambda scale: [{"name": name} for name in BEST],
            fit=self.fit,
            report=lambda rows: Report(
                [("Means:", pd.DataFrame({"name": ["a"], "score": ["0.25"]}))],
                ["a is 0.25 off."],
                new_figure(2, 2),
                "a",
            ),
            steps=30,
            seeds=2,
        )


@pytest.fixture(autouse=True)
def clean(monkeypatch):
    """A commit without changes, whatever the tree of the tests is."""
    at(monkeypatch, "c0ffee", False)


def at(monkeypatch, head: str, unclean: bool) -> None:
    for module in (study, command):
        monkeypatch.setattr(module, "commit", lambda: (head, unclean))
    monkeypatch.setattr(study, "same_code", lambda one, other: one == other)


def test_rates_are_those_of_the_least_validation_loss_widened_once(tmp_path):
    made_up = MadeUp()
    carry_out(made_up.study(), Lines(tmp_path / "lines.jsonl"), 2, 1.0, lambda _: None)
    trials = {(name, run.rate) for name, run in made_up.runs if run.seed == study.TRIAL_SEED}
    assert trials == {(name, rate) for name in BEST for rate in study.RATES} | {("b", 0.09)}
    assert {run.steps for _, run in made_up.runs if run.seed == study.TRIAL_SEED} == {10}
    reported = [(name, run) for name, run in made_up.runs if run.seed != study.TRIAL_SEED]
    assert reported == [(name, Run(seed, rate, 30)) for name, rate in (("a", 1e-3), ("b", 0.09)) for seed in (0, 1)]


def test_what_is_there_is_not_made_again(tmp_path):
    path = tmp_path / "lines.jsonl"
    carry_out(MadeUp().study(), Lines(path), 2, 1.0, lambda _: None)
    again = MadeUp()
    carry_out(again.study(), Lines(path), 2, 1.0, lambda _: None)
    assert again.runs == []
    text = path.read_text()
    path.write_text(text[: len(text) - 20])  # killed while the last line was written
    carry_out(again.study(), Lines(path), 3, 1.0, lambda _: None)
    assert [(name, run.seed) for name, run in again.runs] == [("a", 2), ("b", 1), ("b", 2)]
    assert len({json.dumps(json.loads(line)["setting"]) for line in path.read_text().splitlines()}) == 2


def test_lines_of_other_code_are_made_again(tmp_path, monkeypatch):
    path = tmp_path / "lines.jsonl"
    at(monkeypatch, "c0ffee", True)
    carry_out(MadeUp().study(), Lines(path), 1, 1.0, lambda _: None)
    assert len(Lines(path).kept) == 13
    for head, unclean in (("c0ffee", False), ("decaf", True), ("decaf", False)):
        at(monkeypatch, head, unclean)
        assert Lines(path).kept == {}


def test_a_run_that_diverges_is_counted_and_its_rate_not_chosen(tmp_path):
    made_up = MadeUp()

    def fit(setting: study.Setting, run: Run) -> Fit:
        if setting["name"] == "b" and (run.seed == 1 or run.rate == 0.09):
            raise Diverged("the loss was nan")
        return made_up.fit(setting, run)

    lines = Lines(tmp_path / "lines.jsonl")
    one = replace(made_up.study(), fit=fit)
    carry_out(one, lines, 2, 1.0, lambda _: None)
    runs = study.reported(one, Lines(tmp_path / "lines.jsonl"), 2, 1.0)
    assert [(line.setting["name"], line.rate, len(line.found)) for line in runs] == [
        ("a", 1e-3, 2),
        ("a", 1e-3, 2),
        ("b", 3e-2, 2),
        ("b", 3e-2, 0),
    ]
    assert list(measures(runs)["score"]) == pytest.approx([1.001, 2.001, 1.001, 2.001, 1.03, 2.03])
    assert "1 of 4 runs diverged" in " ".join(page.circumstances(one, runs, list(lines.kept.values())))


def test_the_command_writes_all_and_says_how(tmp_path, capsys):
    main(MadeUp().study(), ["--out", str(tmp_path), "--seeds", "2"])
    folder = tmp_path / "made_up"
    assert "a is 0.25 off." in capsys.readouterr().out
    assert (folder / "figure.png").read_bytes().startswith(b"\x89PNG")
    runs = pd.read_csv(folder / "runs.csv")
    assert list(runs.columns) == ["name", "seed", "rate", "validation", "x", "score"]
    assert len(runs) == 8
    text = (folder / "README.md").read_text(encoding="utf-8")
    for part in ("# A title", "A question?", "figure.png", "a is 0.25 off.", "By hand.", "Not all.", "Seeds 0 to 1;"):
        assert part in text
    assert "after 10 steps, of 0.0003, 0.001, 0.003, 0.01, 0.03" in text
    assert "Chosen (settings): 0.001 (1), 0.09 (1); 1 of them lie" in text
    assert "Commit c0ffee." in text
    assert f"python -m setbench.bench.experiments.made_up --out {tmp_path} --seeds 2" in text
    assert "Not to be cited" not in text


def test_changes_that_no_commit_has_are_refused_or_marked(tmp_path, monkeypatch):
    at(monkeypatch, "c0ffee", True)
    with pytest.raises(SystemExit, match="uncommitted changes"):
        main(MadeUp().study(), ["--out", str(tmp_path)])
    assert not list(tmp_path.iterdir())
    main(MadeUp().study(), ["--out", str(tmp_path), "--unclean"])
    assert [path.name for path in (tmp_path / "made_up").glob("*.jsonl")] == ["unclean.jsonl"]
    assert "Not to be cited: made with changes" in (tmp_path / "made_up" / "README.md").read_text(encoding="utf-8")


def test_a_small_scale_is_marked(tmp_path):
    made_up = MadeUp()
    main(made_up.study(), ["--out", str(tmp_path), "--scale", "0.5"])
    assert "Not to be cited: a trial" in (tmp_path / "made_up" / "README.md").read_text(encoding="utf-8")
    assert {run.steps for _, run in made_up.runs} == {15, 5}


def test_few_seeds_are_marked(tmp_path):
    main(MadeUp().study(), ["--out", str(tmp_path), "--seeds", "1"])
    text = (tmp_path / "made_up" / "README.md").read_text(encoding="utf-8")
    assert "Not to be cited: few seeds." in text
    assert "Seed 0 alone, so no intervals." in text


def test_a_dry_run_trains_a_little_and_writes_nothing(tmp_path, capsys):
    made_up = MadeUp()
    main(made_up.study(), ["--out", str(tmp_path), "--dry-run"])
    assert "4 runs and 10 trials of 2 settings, about" in capsys.readouterr().out
    assert {run.steps for _, run in made_up.runs} == set(study.FEW_STEPS)
    assert not list(tmp_path.iterdir())


def test_an_estimate_multiplies_out(monkeypatch):
    """A clock that goes on a second a step, and 5 for what is once a run, and 7 for measuring."""
    now = [0.0]

    def fit(setting: study.Setting, run: Run) -> Fit:
        now[0] += 5 + run.steps

        def measure():
            now[0] += 7
            return []

        return Fit(0.0, measure)

    monkeypatch.setattr(study.time, "process_time", lambda: now[0])
    one = replace(MadeUp().study(), fit=fit)
    expected = 2 * (2 * (5 + 30 + 7) + 5 * (5 + 10)) / 60
    assert study.minutes(one, Lines(study.Path("/nowhere")), 2, 1.0) == pytest.approx(expected)


@pytest.mark.parametrize(
    "words", [["--seeds", "0"], ["--seeds", "many"], ["--scale", "0"], ["--scale", "2"], ["--scale", "nan"]]
)
def test_numbers_out_of_range_are_refused(words, capsys):
    with pytest.raises(SystemExit, match="2"):
        main(MadeUp().study(), words)
    assert "should be a" in capsys.readouterr().err


def test_axes_and_sizes_at_a_scale():
    assert few([1, 2, 3], 0.5) == [1, 2, 3]
    assert few([1, 2, 3], 0.01) == [1, 3]
    assert few([1], 0.01) == [1]
    assert [scaled(1000, 0.5), scaled(1000, 0.001), scaled(10, 0.1)] == [500, 32, 10]


def test_a_line_is_found_again_by_all_that_decides_it():
    line = Line({"b": 1, "a": "x"}, 0, 0.1, 5, 1.0, 0.0, 0.0, "", False, "")
    assert line.key == study.key({"a": "x", "b": 1}, Run(0, 0.1, 5))
    assert line.key != study.key({"a": "x", "b": 1}, Run(0, 0.1, 6))
