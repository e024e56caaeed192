"""Every number of a run comes from a file, and those of the papers are the papers'."""

from dataclasses import replace

import pytest

from setbench.bench.plan.presets import PRESETS, SETTINGS, load
from setbench.tasks.catalogue import TASKS

ARITHMETIC = [name for name in TASKS if name.startswith("arithmetic_")]


@pytest.mark.parametrize("name", PRESETS)
def test_every_task_has_settings(name: str) -> None:
    preset = load(name)
    assert preset.name == name
    assert preset.about
    for task in TASKS:
        settings, _ = preset.settings(task, "some row")
        assert settings.steps > 0
        assert settings.learning_rate > 0
        assert settings.schedule in ("constant", "cosine")
        assert set(settings.sizes) == {"train", "validation", "test"}
        assert set(settings.task_options) <= set(TASKS[task].options)
        assert preset.rows("encoders", task)
        assert preset.rows("decoders", task)


@pytest.mark.parametrize("name", PRESETS)
def test_its_tables_name_tasks_that_there_are(name: str) -> None:
    assert set(load(name).tasks) <= set(TASKS)


def test_the_files_are_the_presets() -> None:
    """Other settings (of --tune, of pretraining) may lie beside them; a preset without a file, never."""
    assert set(PRESETS) <= {path.stem for path in SETTINGS.glob("*.toml")}


def test_one_budget_a_table() -> None:
    """Every row of a task has the same steps, batch and latent width, whatever was tuned for it."""
    for name in PRESETS:
        preset = load(name)
        for task in TASKS:
            for row in ("deep_sets", "fspool + dspn", "mlp decoder"):
                mine, usual = preset.settings(task, row)[0], preset.settings(task, "some row")[0]
                assert (mine.steps, mine.batch, mine.latent) == (usual.steps, usual.batch, usual.latent)


@pytest.mark.parametrize("name", ["paper", "paper_code"])
def test_the_papers_numbers(name: str) -> None:
    """Zhang et al. 2019, appendix B; Murphy et al. 2019, supplement. Epochs times examples over the batch."""
    preset = load(name)
    mnist, _ = preset.settings("set_mnist", "fspool + dspn")
    assert mnist.steps == 100 * 60_000 // 32
    assert (mnist.batch, mnist.learning_rate, mnist.schedule, mnist.clip) == (32, 1e-2, "constant", 0)
    assert mnist.latent == {"paper": 256, "paper_code": 64}[name]
    assert mnist.width == 256
    for task in ("clevr_box", "clevr_state"):
        clevr, _ = preset.settings(task, "relation_fspool + dspn")
        assert clevr.steps == 100 * 70_000 // 32
        assert (clevr.batch, clevr.learning_rate, clevr.latent, clevr.width) == (32, 3e-4, 512, 512)
        assert clevr.image_encoder == "resnet34"
        assert clevr.sizes["train"] == 70_000
        assert clevr.sizes["test"] == 15_000
    for task in ARITHMETIC:
        sums, _ = preset.settings(task, "janossy:k=2")
        assert sums.steps == 1000 * (100_000 // 128 + 1)
        assert (sums.batch, sums.learning_rate, sums.head) == (128, 1e-3, "linear")
        assert sums.sizes == {"train": 100_000, "validation": 10_000, "test": 10_000}


def test_the_papers_text_and_code_differ_where_the_authors_do() -> None:
    assert load("paper").rows("decoders", "clevr_state")[-1] == "dspn:step=paper"
    assert load("paper_code").rows("decoders", "clevr_state")[-1] == "dspn:step=paper,loss=last"


def test_tuned_choices_stand_above_the_preset(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:  # type: ignore[no-untyped-def]
    (tmp_path / "quick.toml").write_text(
        '[tuned.arithmetic_sum."janossy:k=2"]\nlearning_rate = 0.5\nhow = "by --tune on a day"\n'
    )
    monkeypatch.setattr("setbench.bench.plan.presets.tuned_file", lambda preset: tmp_path / f"{preset}.toml")
    preset = load("quick")
    preset = replace(preset, tasks={**preset.tasks, "arithmetic_sum": {"learning_rate": 0.25}})
    assert preset.settings("arithmetic_sum", "janossy:k=2")[0].learning_rate == 0.5
    assert preset.settings("arithmetic_sum", "janossy:k=2")[1] == "by --tune on a day"
    assert preset.settings("arithmetic_sum", "deep_sets")[0].learning_rate == 0.25
    assert preset.settings("arithmetic_sum", "deep_sets")[1] == ""
