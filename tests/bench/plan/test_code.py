"""The hash of a row's code: of what decides its numbers, and of nothing else."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from setbench.bench.plan import code
from setbench.bench.plan.code import code_hash, code_only

MODEL = "setbench.models.sorting.fspool"


@pytest.fixture
def plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A model in a file of one's own that imports a neighbour."""
    (tmp_path / "own_parts.py").write_text("def half(x):\n    return x / 2\n")
    path = tmp_path / "own_model.py"
    path.write_text('"""Mine."""\nfrom own_parts import half\nfrom setbench.models.ops.layers import mlp\nSIZE = 3\n')
    monkeypatch.syspath_prepend(tmp_path)
    __import__("own_model")
    monkeypatch.setattr(code, "_behind", code._behind.__wrapped__)  # each call reads the files again
    yield path
    for name in ("own_model", "own_parts"):
        sys.modules.pop(name, None)


def test_comments_docstrings_and_layout_are_no_code(plugin: Path) -> None:
    before = code_hash(["own_model"], pictures=False)
    plugin.write_text(
        '"""Another text."""\n\nfrom own_parts import half  # why\n\n'
        "from setbench.models.ops.layers import mlp\n\nSIZE   = 3\n"
    )
    assert code_hash(["own_model"], pictures=False) == before


@pytest.mark.parametrize("changed", ["own_model.py", "own_parts.py"])
def test_an_edit_of_the_file_or_of_what_it_imports_is_seen(changed: str, plugin: Path) -> None:
    before = code_hash(["own_model"], pictures=False)
    path = plugin.parent / changed
    path.write_text(path.read_text().replace("3", "4").replace("/ 2", "/ 3"))
    assert code_hash(["own_model"], pictures=False) != before


def test_it_is_of_the_model_the_task_and_the_harness_alone() -> None:
    behind = (MODEL, code.HARNESS[0], "setbench.tasks.arithmetic")
    files = {name: text for module in behind for name, text in code._behind(module, False).items()}
    assert {MODEL, "setbench.models.ops.layers", "setbench.bench.cell.train", "setbench.bench.cell.measure"} <= set(
        files
    )
    assert "setbench.tasks.interfaces" in files
    silent = ("catalogue", "bench.report", "bench.runner", "bench.plan", "bench.records", "contract")
    assert not [name for name in files if any(word in name for word in silent)]
    assert "setbench.models.attention.set_transformer" not in files


def test_another_model_and_other_weights_are_another_hash(tmp_path: Path) -> None:
    weights = tmp_path / "weights.pt"
    weights.write_bytes(b"1")
    first = code_hash([MODEL], [weights], pictures=True)
    others = (code_hash([model], pictures=True) for model in (MODEL, "setbench.models.attention.set_transformer"))
    assert len({first, *others}) == 3
    weights.write_bytes(b"22")
    assert code_hash([MODEL], [weights], pictures=True) != first


def test_what_reads_pictures_has_a_say_where_pictures_come_in_and_nowhere_else(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Else a new frozen encoder, or an edit of one, would make every record of numbers and points one of old code."""
    monkeypatch.setattr(code, "row_code", code.row_code.__wrapped__)
    monkeypatch.setattr(code, "_behind", code._behind.__wrapped__)
    tasks = ("arithmetic_sum", "set_digits_classes", "rotated_square", "clevr_state", "clevr_box")
    before = {task: code.row_code(task, ("fspool", None), "frozen") for task in tasks}
    small = {task: code.row_code(task, ("fspool", None), "small") for task in tasks}
    assert [task for task in tasks if small[task] != before[task]] == ["clevr_state", "clevr_box"]

    read = code._read
    monkeypatch.setattr(
        code,
        "_read",
        lambda path, at: (read(path, at)[0] + "# edited" * str(path).endswith("images/frozen.py"), read(path, at)[1]),
    )
    after = {task: code.row_code(task, ("fspool", None), "frozen") for task in tasks}
    assert [task for task in tasks if after[task] != before[task]] == ["clevr_state", "clevr_box"]


def test_code_only_keeps_names_apart_and_drops_what_is_silent() -> None:
    one = '"""Doc."""\nX = 1  # why\ndef f():\n    "doc"\n    return X\n'
    assert code_only(one) == code_only("X = 1\ndef f():\n    return X\n")
    assert code_only(one) != code_only("X = 2\ndef f():\n    return X\n")
    assert code_only("a = b if c else d\n") != code_only("a = bifc else d\n")
    assert code_only("x = 'text'\n") != code_only("x = 'other'\n")
