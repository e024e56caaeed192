"""Options are read, typed and bounded in one place; what is no value is one line with what would be one."""

from __future__ import annotations

import math

import pytest

from setbench.options import Option, UnknownName, check, joined, split

DECLARED = {
    "steps": Option(10, "inner steps", low=1),
    "temperature": Option(1.0, "of the softmax", above=0, high=100),
    "k": Option(2, "elements at once", words=("N",), low=1),
    "net": Option("lstm", "reads the sequence", choices=("lstm", "mlp")),
    "bias": Option(True, "whether there is one"),
    "name": Option("", "any word"),
    "size": Option("auto", "a size, or found by itself", words=("auto",), above=0, number=float),
}


@pytest.mark.parametrize(
    ("given", "value"),
    [
        ({"steps": "3"}, 3),
        ({"temperature": "2"}, 2.0),
        ({"temperature": 2}, 2.0),
        ({"k": "N"}, "N"),
        ({"k": "3"}, 3),
        ({"size": "auto"}, "auto"),
        ({"size": "0.5"}, 0.5),
        ({"size": 2}, 2.0),
        ({"net": "mlp"}, "mlp"),
        ({"bias": "False"}, False),
        ({"bias": False}, False),
        ({"name": "x"}, "x"),
    ],
)
def test_values_have_their_type(given: dict[str, object], value: object) -> None:
    (name,) = given
    read = check("dspn", DECLARED, given)[name]  # type: ignore[arg-type]
    assert read == value
    assert type(read) is type(value)


@pytest.mark.parametrize(
    ("given", "line"),
    [
        ({"steps": "0"}, "dspn:steps=0: it takes a whole number, at least 1"),
        ({"steps": "1.5"}, "dspn:steps=1.5: it takes a whole number, at least 1"),
        ({"steps": 1.5}, "dspn:steps=1.5: it takes a whole number, at least 1"),
        ({"steps": True}, "dspn:steps=True: it takes a whole number, at least 1"),
        ({"temperature": "nan"}, "dspn:temperature=nan: it takes a number, more than 0, at most 100"),
        ({"temperature": math.inf}, "dspn:temperature=inf: it takes a number, more than 0, at most 100"),
        ({"temperature": "0"}, "dspn:temperature=0: it takes a number, more than 0, at most 100"),
        ({"k": "M"}, "dspn:k=M: it takes a whole number, at least 1, or N"),
        ({"net": "mpl"}, "dspn:net=mpl: did you mean 'mlp'?"),
        ({"bias": "maybe"}, "dspn:bias=maybe: it takes true or false"),
        ({"bias": 1}, "dspn:bias=1: it takes true or false"),
        ({"steps": [3]}, "dspn:steps=[3]: it takes a whole number, at least 1"),
        ({"steps": None}, "dspn:steps=None: it takes a whole number, at least 1"),
        ({"stesp": "3"}, "dspn has no option 'stesp'; did you mean 'steps'?"),
    ],
)
def test_what_is_no_value_is_one_line(given: dict[str, object], line: str) -> None:
    with pytest.raises(UnknownName) as refused:
        check("dspn", DECLARED, given)  # type: ignore[arg-type]
    assert str(refused.value) == line


def test_a_default_out_of_range_is_refused_where_it_is_declared() -> None:
    with pytest.raises(ValueError, match="the default 0 is not a whole number, at least 1"):
        Option(0, "", low=1)


def test_names_come_apart_and_together() -> None:
    assert split("dspn:steps=3,net=mlp") == ("dspn", {"steps": "3", "net": "mlp"})
    assert split("dspn") == ("dspn", {})
    with pytest.raises(UnknownName, match="'steps' needs a value"):
        split("dspn:steps")
    options = check("dspn", DECLARED, {"net": "mlp", "steps": "3"})
    assert joined("dspn", DECLARED, options) == "dspn:steps=3,net=mlp"
    assert joined("dspn", DECLARED, options, shown=("k",)) == "dspn:steps=3,k=2,net=mlp"
    assert joined("dspn", DECLARED, check("dspn", DECLARED, {})) == "dspn"
