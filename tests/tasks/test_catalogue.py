"""The list of tasks: torch-free, complete, and true of the classes that it names."""

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from setbench.tasks.catalogue import TASKS, UnknownTask, find


def test_listing_imports_no_torch() -> None:
    code = (
        "import sys; from setbench.tasks.catalogue import TASKS\n"
        "for t in TASKS.values():\n"
        "    t.max_size({}), t.unavailable({}, None)\n"
        "    if not t.name.startswith('clevr'): t.data_key({})\n"
        "print('torch' in sys.modules or 'numpy' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


@pytest.mark.parametrize("name", TASKS)
def test_entry_names_a_module_and_says_what_is_good(name: str) -> None:
    entry = TASKS[name]
    assert find_spec(entry.target.partition(":")[0]) is not None
    assert entry.headline in entry.good
    assert entry.asks.endswith(".")
    assert entry.group in {
        "image or vector in, set out",
        "set in, set out",
        "set in, label out",
        "set in, number out",
    }


@pytest.mark.parametrize("name", [name for name in TASKS if not name.startswith("clevr")])
def test_entry_agrees_with_its_class(name: str, tmp_path: Path) -> None:
    from setbench.tasks.interfaces import Images, Label, Number, Sets, Vector

    entry = TASKS[name]
    task = entry.load()({"train": 4, "validation": 4, "test": 4}, tmp_path)
    kinds = {Sets: "set", Vector: "vector", Images: "image", Label: "label", Number: "number"}
    assert kinds[type(task.input)] == entry.input_kind
    assert kinds[type(task.output)] == entry.output_kind
    sets = task.output if isinstance(task.output, Sets) else task.input
    assert sets.max_size == entry.max_size({})
    assert (sets.positions is not None) == entry.has_positions
    assert entry.headline == task.headline
    assert task.headline in task.metrics


def test_unknown_names_get_the_nearest() -> None:
    with pytest.raises(UnknownTask, match=r"no task is called 'set_mnits'; did you mean 'set_mnist'\?"):
        find("set_mnits")
    with pytest.raises(UnknownTask, match=r"no option 'point'; did you mean 'points'\?"):
        find("set_mnist").max_size({"point": 3})


def test_fewer_points_are_other_data() -> None:
    entry = find("set_mnist")
    assert entry.max_size({"points": 64}) == 64
    assert entry.data_key({"points": 64}) != entry.data_key({}) == entry.data_key({"points": 0})
    assert entry.data_key({}) != find("set_digits").data_key({})


def test_real_clevr_cannot_be_fetched(tmp_path: Path) -> None:
    entry = find("clevr_state")
    assert entry.unavailable({}, None) is None
    assert "--data DIR" in (entry.unavailable({"clevr": "real"}, None) or "")
    assert "is no folder" in (entry.unavailable({"clevr": "real"}, tmp_path / "nowhere") or "")
    assert entry.unavailable({"clevr": "real"}, tmp_path) is None
