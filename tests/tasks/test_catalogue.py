"""The list of tasks: torch-free, complete, and read from texts. That it is true of the classes is the contract's."""

import re
import subprocess
import sys
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from setbench.options import Option, UnknownName
from setbench.specs import ImageSpec, LabelSpec, NumberSpec, SetSpec, VectorSpec
from setbench.tasks.catalogue import TASKS, find, parse_task
from setbench.tasks.entry import TaskEntry


def test_listing_imports_no_torch() -> None:
    code = (
        "import sys; from setbench.tasks.catalogue import TASKS\n"
        "for t in TASKS.values():\n"
        "    t.max_size({}), t.unavailable({}, None), t.data_key({}), t.group, t.has_positions\n"
        "print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


@pytest.mark.parametrize("name", TASKS)
def test_entry_names_a_module_and_says_what_is_good(name: str) -> None:
    entry = TASKS[name]
    assert find_spec(entry.target.partition(":")[0]) is not None
    assert entry.headline in entry.good
    assert entry.asks.endswith(".")


def test_what_follows_from_the_specs() -> None:
    def facts(name: str) -> tuple[Any, ...]:
        entry = TASKS[name]
        return entry.group, entry.input_kind, entry.output_kind, entry.has_positions, entry.max_size({})

    assert facts("rotated_square") == ("image or vector in, set out", "vector", "set", True, 4)
    assert facts("clevr_box") == ("image or vector in, set out", "image", "set", True, 10)
    assert facts("set_mnist") == ("set in, set out", "set", "set", True, 342)
    assert facts("set_digits_classes") == ("set in, label out", "set", "label", True, 342)
    assert facts("arithmetic_sum") == ("set in, number out", "set", "number", False, 5)
    assert TASKS["clevr_state"].output_spec({}) == SetSpec(18, 10, slice(0, 3))


def test_unknown_names_get_the_nearest() -> None:
    with pytest.raises(UnknownName, match=r"no task is called 'set_mnits'; did you mean 'set_mnist'\?"):
        find("set_mnits")
    with pytest.raises(UnknownName, match=r"no task is called 'set_mnits'; did you mean 'set_mnist'\?"):
        parse_task("set_mnits:points=3")
    with pytest.raises(UnknownName, match=r"no option 'point'; did you mean 'points'\?"):
        find("set_mnist").max_size({"point": 3})
    with pytest.raises(UnknownName, match=r"clevr_state:clevr=reel: did you mean 'real'\?"):
        parse_task("clevr_state:clevr=reel")
    for wrong in ("points=-1", "points=343", "points=1.5", "points=nan", "points"):
        with pytest.raises(UnknownName, match="points"):
            parse_task(f"set_mnist:{wrong}")


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("set_mnist", "set_mnist"),
        ("set_mnist:points=0", "set_mnist"),
        ("set_mnist:points=64", "set_mnist:points=64"),
        ("clevr_box:test_on=real,boxes=exact,clevr=rendered", "clevr_box:test_on=real,boxes=exact"),
        ("clevr_state:test_on=real,clevr=real", "clevr_state:clevr=real,test_on=real"),
    ],
)
def test_a_text_and_its_canonical_name_are_one_task(text: str, name: str) -> None:
    spec = parse_task(text)
    assert spec.name == name
    assert parse_task(spec.name) == spec
    assert spec.options.keys() == spec.entry.options.keys()


def test_fewer_points_are_other_data() -> None:
    entry = find("set_mnist")
    few = parse_task("set_mnist:points=64")
    assert few.input == few.output == SetSpec(2, 64, slice(0, 2))
    assert few.max_size == entry.max_size({"points": 64}) == 64
    assert few.data_key() == entry.data_key({"points": 64}) != entry.data_key({}) == entry.data_key({"points": 0})
    assert entry.data_key({}) != find("set_digits").data_key({})


def test_real_clevr_cannot_be_fetched(tmp_path: Path) -> None:
    entry = find("clevr_state")
    assert entry.unavailable({}, None) is None
    assert "--data DIR" in (entry.unavailable({"clevr": "real"}, None) or "")
    assert "is no folder" in (entry.unavailable({"clevr": "real"}, tmp_path / "nowhere") or "")
    assert entry.unavailable({"clevr": "real"}, tmp_path) is None


GOOD = TaskEntry(
    name="mine",
    target="my_file:Mine",
    asks="Add up.",
    good="rmse is small.",
    headline="rmse",
    input=SetSpec(3, 5),
    output=NumberSpec(),
    key="mine-v1",
)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"name": "my task"}, "a task's name has letters"),
        ({"name": "a:b"}, "a task's name has letters"),
        ({"target": "my_file.Mine"}, "target is 'module:Class'"),
        ({"target": ":Mine"}, "target is 'module:Class'"),
        ({"headline": " "}, "headline says nothing"),
        ({"input": "set"}, "input is VectorSpec, ImageSpec or SetSpec, or a function of the options, not 'set'"),
        ({"input": LabelSpec(3)}, "input is VectorSpec, ImageSpec or SetSpec"),
        ({"output": VectorSpec(3)}, "output is SetSpec, LabelSpec or NumberSpec"),
        ({"output": lambda options: ImageSpec(1, 2, 3)}, "output is SetSpec, LabelSpec or NumberSpec"),
        ({"input": VectorSpec(3)}, "neither input nor output is a SetSpec"),
        ({"key": 3}, "key is a text or a function"),
        ({"options": {"points": 3}}, "option 'points' is an Option, not 3"),
        ({"picture": "boxs"}, "no picture is called 'boxs'; did you mean 'boxes'?"),
    ],
)
def test_an_entry_that_is_wrong_is_one_line(change: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=re.escape(says)) as caught:
        replace(GOOD, **change)
    assert "\n" not in str(caught.value)


def test_a_spec_may_follow_the_options() -> None:
    entry = replace(GOOD, options={"n": Option(4, "", low=1)}, input=lambda options: SetSpec(2, options["n"]))
    assert entry.max_size({}) == 4
    assert entry.under({"n": "9"}).max_size == 9
