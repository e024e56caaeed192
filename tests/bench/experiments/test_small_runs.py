"""Every experiment from end to end, on little."""

from dataclasses import replace
from importlib import import_module
from pathlib import Path

import pytest

from setbench.bench import experiments
from setbench.bench.experiments.command import main
from setbench.bench.experiments.study import Study

FRAME = {"__init__", "command", "intervals", "look", "numbers_of_sets", "page", "pieces", "study", "training"}
NAMES = sorted({path.stem for path in Path(experiments.__file__).parent.glob("*.py")} - FRAME)


def study_of(name: str) -> Study:
    return import_module(f"setbench.bench.experiments.{name}").STUDY


@pytest.mark.parametrize("name", NAMES)
def test_a_small_run_gives_a_page(name: str, tmp_path: Path) -> None:
    whole = study_of(name)
    grid = whole.settings(0.004)
    some = [grid[0], grid[-1]]
    main(
        replace(whole, settings=lambda scale: some, rates=(3e-3,)),
        ["--out", str(tmp_path), "--scale", "0.004", "--seeds", "2", "--unclean"],
    )
    folder = tmp_path / name
    text = (folder / "README.md").read_text(encoding="utf-8").replace("\\", "")
    assert text.startswith(f"# {whole.title}")
    assert "Not to be cited" in text
    for part in (*whole.limits, *whole.method):
        assert part.split("(")[0][:40] in text
    assert (folder / "figure.png").stat().st_size > 5000


@pytest.mark.parametrize("name", NAMES)
def test_a_study_is_called_as_its_module_and_has_five_seeds(name: str) -> None:
    study = study_of(name)
    assert study.name == name
    assert study.seeds >= 5
    assert len(study.rates) >= 5
    grid = [tuple(setting.items()) for setting in study.settings(1.0)]
    assert len(set(grid)) == len(grid)
    assert set(study.settings(0.01)[0]) == set(study.settings(1.0)[0])


def test_every_experiment_is_listed() -> None:
    assert experiments.__doc__ is not None
    for name in NAMES:
        assert f"- ``{name}``: " in experiments.__doc__
