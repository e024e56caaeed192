"""Settings of one's own: a TOML file, and --set; what is wrong in them is one line."""

from __future__ import annotations

from pathlib import Path

import pytest

from setbench.bench.plan.presets import OPTIONS, PRESETS, Settings, load
from setbench.options import UnknownName


def test_a_file_starts_from_another_preset(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(
        'extends = "smoke"\n[all]\nsteps = 7\n[task.arithmetic_sum]\nwidth = 12\nsizes = { train = 5 }\n'
        '[rows]\nencoders = ["deep_sets"]\n[run]\nseeds = "0-2"\n'
        '[tuned.arithmetic_sum]\n"deep_sets" = { learning_rate = 0.5, how = "by hand" }\n'
    )
    mine, base = load(str(path)), load("smoke")
    settings, how = mine.settings("arithmetic_sum", "deep_sets")
    assert (settings.steps, settings.width, settings.learning_rate, how) == (7, 12, 0.5, "by hand")
    assert settings.batch == base.settings("arithmetic_sum", "deep_sets")[0].batch
    assert mine.settings("rotated_square", "x")[0].width == base.settings("rotated_square", "x")[0].width
    assert settings.sizes["train"] == 5
    assert mine.rows("encoders", "arithmetic_sum") == ["deep_sets"]
    assert mine.rows("decoders", "arithmetic_sum") == base.rows("decoders", "arithmetic_sum")
    assert (mine.name, mine.run) == ("mine", {"seeds": "0-2"})


def test_settings_of_one_row_stand_above_the_tasks_and_below_what_was_tuned(tmp_path: Path) -> None:
    """Under whatever order of its options; a later pattern of tasks stands above an earlier one."""
    path = tmp_path / "mine.toml"
    path.write_text(
        'extends = "smoke"\ntasks = ["arithmetic_sum", "set_digits"]\n'
        '[task."arithmetic_*"]\nsteps = 7\nwidth = 12\n[task.arithmetic_sum]\nwidth = 13\n'
        '[row."janossy:rho=none,k=1"]\nlatent = 5\nwidth = 6\nlearning_rate = 0.25\n[row."mlp:presence=0 decoder"]\n'
        'steps = 9\n[tuned.arithmetic_sum]\n"janossy:k=1,rho=none" = { learning_rate = 0.5 }\n'
    )
    mine = load(str(path))
    row, how = mine.settings("arithmetic_sum", "janossy:k=1,rho=none")
    assert (row.steps, row.width, row.latent, row.learning_rate, how) == (7, 6, 5, 0.5, "")
    assert mine.settings("arithmetic_range", "janossy:k=1,rho=none")[0].learning_rate == 0.25
    assert [mine.settings(f"arithmetic_{task}", "fspool")[0].width for task in ("sum", "range")] == [13, 12]
    assert mine.settings("clevr_state", "mlp:presence=0.0 decoder")[0].steps == 9
    assert mine.settings("clevr_state", "mlp decoder")[0].steps == load("smoke").settings("clevr_state", "x")[0].steps
    assert mine.on == ["arithmetic_sum", "set_digits"]
    assert load("smoke").on is None


def test_rows_of_a_paradigm_share_the_rate_of_one_of_them_and_say_so(tmp_path: Path) -> None:
    """Under the same decoder; a rate of its own stands above; decoders and other paradigms have the preset's."""
    path = tmp_path / "mine.toml"
    path.write_text(
        'extends = "smoke"\n[shared]\nsorting = "fspool"\n[tuned.set_digits]\n'
        '"fspool + mlp" = { learning_rate = 0.5, how = "by trials" }\n"score_sort + mlp" = { learning_rate = 0.25 }\n'
    )
    mine, usual = load(str(path)), load("smoke").settings("set_digits", "x")[0].learning_rate
    rows = ("fspool + mlp", "soft_sort + mlp", "score_sort + mlp", "soft_sort + dspn", "deep_sets + mlp", "mlp decoder")
    found = [mine.settings("set_digits", row) for row in rows]
    assert [settings.learning_rate for settings, _ in found] == [0.5, 0.5, 0.25, usual, usual, usual]
    assert [how for _, how in found] == [
        "by trials", "as fspool + mlp, with which it shares its paradigm: by trials", "", "", "", ""
    ]  # fmt: skip
    assert mine.settings("set_mnist", "fspool + mlp")[0].learning_rate == usual


def test_set_stands_above_the_file_and_the_tuned_rate() -> None:
    preset = load("quick").with_settings({"steps": "3", "learning_rate": 0.25, "sizes.train": "9"})
    settings, how = preset.settings("set_mnist_classes", "deep_sets")
    assert (settings.steps, settings.learning_rate, settings.sizes["train"], how) == (3, 0.25, 9, "")
    assert settings.sizes["test"] == load("quick").settings("set_mnist_classes", "deep_sets")[0].sizes["test"]


@pytest.mark.parametrize(
    ("given", "line"),
    [
        ({"stesp": 1}, "--set: no setting is called 'stesp'; did you mean 'steps'?"),
        ({"steps": "0"}, "--set: steps=0: it takes a whole number, at least 1"),
        ({"steps": 1.5}, "--set: steps=1.5: it takes a whole number, at least 1"),
        ({"learning_rate": "nan"}, "--set: learning_rate=nan: it takes a number, more than 0"),
        ({"schedule": "cosin"}, "--set: schedule=cosin: did you mean 'cosine'?"),
        ({"sizes.tran": 4}, "--set: no setting is called 'sizes.tran'; did you mean 'sizes.train'?"),
    ],
)
def test_a_slip_in_set_is_one_line(given: dict[str, object], line: str) -> None:
    with pytest.raises(UnknownName) as refused:
        load("smoke").with_settings(given)
    assert str(refused.value) == line


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("[al]\nsteps = 1\n", "no table is called 'al'; did you mean 'all'?"),
        ("[all]\nsteps = 'x'\n", "mine.toml: [all]: steps=x: it takes a whole number, at least 1"),
        ("[task.clevr_stat]\nsteps = 1\n", "'clevr_stat' is none of its tasks; did you mean 'clevr_state'?"),
        ('[task."set_x*"]\nsteps = 1\n', "'set_x*' is none of its tasks"),
        ("[task.clevr_state]\nrows = { encoder = [] }\n", "[task.clevr_state]: 'encoder' is none of its lists"),
        ("[task.clevr_state]\nrows = 'mlp'\n", "[task.clevr_state]: rows is a table, not 'mlp'"),
        ("[rows]\nencoder = []\n", "'encoder' is none of its lists; did you mean 'encoders'?"),
        ("[rows]\nencoders = 'fspool'\n", "mine.toml: [rows]: encoders is a list of names, not 'fspool'"),
        ("tasks = ['clevr_stat']\n", "mine.toml: tasks: no task is called 'clevr_stat'; did you mean 'clevr_state'?"),
        ("tasks = 'clevr_state'\n", "mine.toml: tasks is a list of names, not 'clevr_state'"),
        ("all = 3\n", "mine.toml: all is a table, not 3"),
        ("[row]\nfspool = 3\n", "mine.toml: row.fspool is a table, not 3"),
        ("about = 3\n", "mine.toml: about is a text, not 3"),
        ("[row.fspol]\nsteps = 1\n", "mine.toml: [row.'fspol']: no encoder or predictor is called 'fspol'; did you"),
        ('[row."fspool + msp"]\n', "mine.toml: [row.'fspool + msp']: no decoder is called 'msp'"),
        ('[row."fspool:piece=3"]\n', "fspool has no option 'piece'; did you mean 'pieces'?"),
        ("[row.fspool]\nstep = 1\n", "mine.toml: [row.'fspool']: no setting is called 'step'; did you mean 'steps'?"),
        ("[tuned.set_digits]\nfspool = { learning_rate = 'x' }\n", "[tuned.set_digits.'fspool']: learning_rate=x: it"),
        (
            "[shared]\ngraph = 'fspool'\n",
            "mine.toml: [shared]: graph: no paradigm is called so; did you mean 'graphs'?",
        ),
        ("[shared]\ngraphs = 'fspol'\n", "mine.toml: [shared]: graphs: no encoder is called 'fspol'; did you mean"),
        ("[shared]\ngraphs = 'fspool'\n", "mine.toml: [shared]: graphs: fspool is of the paradigm sorting"),
        ('extends = "quik"\n', "no preset is called 'quik'; did you mean 'quick'?"),
        ("steps = \n", "mine.toml: "),
    ],
)
def test_a_slip_in_a_file_is_one_line(text: str, line: str, tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(text)
    with pytest.raises(UnknownName) as refused:
        load(str(tmp_path / "mine.toml"))
    assert line in str(refused.value)
    assert len(str(refused.value).splitlines()) == 1


def test_no_such_file_and_no_such_preset() -> None:
    with pytest.raises(UnknownName, match="no such file"):
        load("nowhere.toml")
    with pytest.raises(UnknownName, match="did you mean 'quick'\\?, or give a TOML file"):
        load("quik")


def test_every_shipped_number_is_within_its_range() -> None:
    for name in PRESETS:
        settings, _ = load(name).settings("arithmetic_sum", "deep_sets")
        for key, option in OPTIONS.items():
            value = settings.sizes[key.partition(".")[2]] if "." in key else getattr(settings, key)
            assert not option.why_not(value), (name, key, value)
    assert Settings().steps == OPTIONS["steps"].default
