"""Every number of a run comes from a file, and those of the papers are the papers'."""

import re
from dataclasses import replace

import pytest

from setbench.bench.plan.cells import Cell, Request, asked_tasks, plan
from setbench.bench.plan.presets import PRESETS, SETTINGS, load
from setbench.tasks.catalogue import TASKS

PAPERS = ("paper", "paper_code")
DSPN = "dspn:steps=5"
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
    """Every row of a task has the same steps, batch, latent and width, whatever was tuned for it. The papers' own rows
    have the papers' own."""
    for name in PRESETS:
        preset = load(name)
        assert (name in (*PAPERS, "paper_cpu")) == bool(preset.row)
        for task in TASKS:
            for row in ("deep_sets", "fspool + dspn", "mlp decoder"):
                mine, usual = preset.settings(task, row)[0], preset.settings(task, "some row")[0]
                assert (mine.steps, mine.batch, mine.latent, mine.width) == (
                    usual.steps, usual.batch, usual.latent, usual.width
                )  # fmt: skip


@pytest.mark.parametrize("name", PAPERS)
def test_the_papers_numbers(name: str) -> None:
    """Zhang et al. 2019 and Murphy et al. 2019, worked out: epochs times whole batches of all training examples."""
    preset = load(name)
    mnist, _ = preset.settings("set_mnist", "fspool + dspn")
    assert mnist.steps == 100 * 60_000 // 32
    assert (mnist.batch, mnist.learning_rate, mnist.schedule, mnist.clip) == (32, 1e-2, "constant", 0)
    assert mnist.latent == {"paper": 256, "paper_code": 64}[name]
    assert mnist.width == 256
    assert mnist.sizes["train"] == 60_000
    assert mnist.sizes["test"] == {"paper": 10_000, "paper_code": 1_000}[name]
    for task in ("clevr_box", "clevr_state"):
        clevr, _ = preset.settings(task, "relation_fspool + dspn")
        assert clevr.steps == 100 * 70_000 // 32
        assert (clevr.batch, clevr.learning_rate, clevr.latent, clevr.width) == (32, 3e-4, 512, 512)
        assert clevr.image_encoder == "resnet34"
        assert clevr.sizes["train"] == 70_000
        assert clevr.sizes["test"] == 15_000


def planned(name: str, *tasks: str) -> list[Cell]:
    request = Request(asked_tasks(tasks), None, None, (0,), load(name), "cpu", None)
    return [cell for cell in plan(request) if not cell.constant]


@pytest.mark.parametrize("task", ARITHMETIC)
@pytest.mark.parametrize("name", PAPERS)
def test_the_papers_arithmetic(name: str, task: str) -> None:
    """Five networks (phi of 30, LSTM of 50, GRU of 80) by two rho (none, and 100 units for twice as many epochs)."""
    cells = planned(name, task)
    epochs = {
        ("paper", "none"): 1000,
        ("paper", "tanh"): 2000,
        ("paper_code", "none"): 1000,
        ("paper_code", "tanh"): 1000,
    }
    units = {"lstm": 50, "gru": 80, "mlp": 30}
    found = []
    for cell in cells:
        settings, options = cell.settings, cell.options["encoder"]
        found.append((options.get("k"), options["phi"], options["rho"]))
        size = units[str(options["phi"])]
        assert settings.steps == epochs[name, str(options["rho"])] * (100_000 // 128)
        assert (settings.batch, settings.head, settings.clip) == (128, "linear_xavier", 0)
        assert settings.learning_rate == {"paper": 1e-3, "paper_code": 1e-4}[name]
        assert settings.latent == (size if options["rho"] == "none" else 100)
        assert size == (settings.latent if options["rho"] == "none" else settings.width)
        assert settings.sizes == {"train": 100_000, "validation": 10_000, "test": 10_000}
        if options["phi"] == "mlp":
            assert (options["hidden"], options["activation"]) == (1, "tanh")
            assert options["pool"] == {"paper": "mean", "paper_code": "sum"}[name]
            assert options["shorten"] or options["k"] == 1
    five = [(1, "mlp"), (2, "mlp"), (3, "mlp"), (None, "lstm"), (None, "gru")]
    assert sorted(found, key=str) == sorted([(*one, rho) for one in five for rho in ("none", "tanh")], key=str)


@pytest.mark.parametrize("task", ["clevr_box", "clevr_state"])
def test_presence_starts_at_0_on_clevr_and_at_1_on_mnist(task: str) -> None:
    for name in PAPERS:
        starts = [cell.options["decoder"].get("presence") for cell in planned(name, task, "set_mnist")]
        assert starts == [0, 0, None, 1, 1, None]


@pytest.mark.parametrize("task", ["clevr_box", "clevr_state", "set_mnist"])
def test_paper_cpu_has_the_papers_rows_at_the_papers_sizes(task: str) -> None:
    """One number of steps for all rows of a table, and a rate that decays."""
    ours, theirs = planned("paper_cpu", task), planned("paper", task)
    assert [cell.row for cell in ours] == [cell.row for cell in theirs]
    assert len({cell.settings.steps for cell in ours}) == 1
    for mine, paper in zip(ours, theirs, strict=True):
        assert mine.settings.schedule == "cosine"
        assert mine.settings.steps < paper.settings.steps
        for name in ("batch", "latent", "width", "sizes", "task_options"):
            assert getattr(mine.settings, name) == getattr(paper.settings, name)


def test_the_papers_text_and_code_differ_where_the_authors_do() -> None:
    assert [cell.row for cell in planned("paper", "clevr_state")][-1] == "relation_fspool + dspn:step=paper"
    assert [cell.row for cell in planned("paper_code", "clevr_state")][
        -1
    ] == "relation_fspool + dspn:step=paper,loss=last"


SOURCE = re.compile(
    r"# (\[Z\].*(table|text|section 3\.1|mnist\.sh|clevr\.sh|train\.py|model\.py|data\.py)"
    r"|\[M\].*(table 1|section 4\.1|supplement|train\.py|models\.py|the same)|\[ours\])"
)


@pytest.mark.parametrize("name", PAPERS)
def test_every_number_of_the_papers_says_where_it_is_from(name: str) -> None:
    """A line that sets something, or names a row, ends in its source."""
    lines = (SETTINGS / f"{name}.toml").read_text(encoding="utf-8").splitlines()
    said = [line for line in lines if not line.startswith(("#", "[", "about = ", "extends = ", "]")) and line]
    assert len(said) >= 17
    assert [line for line in said if not SOURCE.search(line)] == []


def test_tuned_choices_stand_above_the_preset(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:  # type: ignore[no-untyped-def]
    (tmp_path / "desk.toml").write_text(  # which quick extends
        '[tuned.arithmetic_sum."janossy:k=2"]\nlearning_rate = 0.5\nhow = "by --tune on a day"\n'
    )
    monkeypatch.setattr("setbench.bench.plan.presets.tuned_file", lambda preset: tmp_path / f"{preset}.toml")
    preset = load("quick")
    preset = replace(preset, tasks={**preset.tasks, "arithmetic_sum": {"learning_rate": 0.25}})
    assert preset.settings("arithmetic_sum", "janossy:k=2")[0].learning_rate == 0.5
    assert preset.settings("arithmetic_sum", "janossy:k=2")[1] == "by --tune on a day"
    assert preset.settings("arithmetic_sum", "deep_sets")[0].learning_rate == 0.25
    assert preset.settings("arithmetic_sum", "deep_sets")[1] == ""


@pytest.mark.parametrize("task", TASKS)
def test_quick_is_a_part_of_desk(task: str) -> None:
    """The same cells, with the same rates: of a paradigm one row, a control, MLP and LSTM beside DSPN."""
    desk, quick = ({cell.identity: cell for cell in planned(name, task)} for name in ("desk", "quick"))
    assert set(quick) < set(desk)
    paradigms = [cell.model.entry.paradigm for cell in quick.values() if cell.model and cell.decoder in (None, DSPN)]
    shown = ["permuting", "sorting", "sampling", "attention", "graphs", "control"]
    assert sorted(paradigms) == sorted(shown)
