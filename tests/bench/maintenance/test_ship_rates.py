"""The rates that a preset ships are those of its committed trials, and of no others."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from setbench.bench.maintenance import ship_rates
from setbench.bench.maintenance.ship_rates import COMMAND, main, shipped_text
from setbench.bench.plan.presets import SETTINGS, load
from setbench.bench.runner.trials import COLUMNS

ROOT = Path(__file__).parents[3]
SHIPPED = sorted((SETTINGS / "tuned").glob("*.toml"))


def test_what_is_shipped_is_what_its_trials_choose(monkeypatch: pytest.MonkeyPatch) -> None:
    """Made anew from the files that its first line names; a preset whose settings changed since has no trials left."""
    monkeypatch.chdir(ROOT)
    for path in SHIPPED:
        text = path.read_text(encoding="utf-8")
        command = re.match(rf"# Made by `{re.escape(COMMAND)} (\S+) (.+?)`", text)
        assert command, path
        assert command[1] == path.stem
        assert text == shipped_text(command[1], command[2].split())


def lines(*trials: str) -> str:
    """A file of trials; each is ``row rate seed steps score`` of arithmetic_sum under desk's sizes."""
    rows = ["\t".join(COLUMNS)]
    for trial in trials:
        row, rate, seed, steps, score = trial.split()
        score = "" if score == "-" else score
        words = ["arithmetic_sum", row, rate, seed, steps, "64", "128", "128", "ok", "accuracy", "True", score, "1.0"]
        rows.append("\t".join([*words, "code", "commit"]))
    return "\n".join(rows) + "\n"


TRIALS = (
    "deep_sets .001 1000 1000 99",  # the search chooses nothing by itself
    "deep_sets .003 1001 3000 50",
    "deep_sets .003 1002 3000 60",  # mean 55
    "deep_sets .009 1001 3000 70",
    "deep_sets .009 1002 3000 39",  # mean 54.5
    "fspool .003 1001 3000 90",
    "fspool .003 1002 3000 -",  # failed once: never chosen
    "fspool .001 1001 3000 10",
    "fspool .001 1002 3000 10",
    "raw_mlp .001 1001 1500 10",  # of other settings
    "raw_mlp .001 1002 1500 10",
)


def test_the_better_mean_of_the_final_trials_is_shipped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    settings, _ = load("desk").settings("arithmetic_sum", "deep_sets")
    assert (settings.steps, settings.batch, settings.latent, settings.width) == (3000, 64, 128, 128)
    trials = tmp_path / "trials.tsv"
    trials.write_text(lines(*TRIALS))
    monkeypatch.setattr(ship_rates, "tuned_file", lambda preset: tmp_path / f"{preset}.toml")
    assert main(["desk", str(trials)]) == 0
    assert capsys.readouterr().out == "2 rates are written into desk.toml\n"
    text = (tmp_path / "desk.toml").read_text()
    found = tomllib.loads(text)["tuned"]
    rates = {row: choice["learning_rate"] for row, choice in found["arithmetic_sum"].items()}
    assert rates == {"deep_sets": 0.003, "fspool": 0.001}
    assert str(trials) in text.splitlines()[0]
    assert all(str(trials) in choice["how"] for choice in found["arithmetic_sum"].values())


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("task\trow\n", "its first line is not the columns of trials"),
        (lines("deep_sets .001 1001 x 9"), "line 2: no trial: invalid literal"),
        (lines("deep_sets .001 1001 3000 nan"), "line 2: no trial: a score that is no finite number"),
        (lines(TRIALS[-1]), "no rate can be chosen"),
    ],
)
def test_what_are_no_trials_is_one_line(
    text: str, why: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "trials.tsv"
    path.write_text(text)
    assert main(["desk", str(path)]) == 2
    err = capsys.readouterr().err
    assert why in err
    assert err.count("\n") == 1
