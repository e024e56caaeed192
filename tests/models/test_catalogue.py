"""Entries are checked when they are made, options before anything is built."""

from dataclasses import replace

import pytest

from setbench.models.catalogue import CATALOGUE, model_specs, parse, register
from setbench.models.contract import decoders, encoders
from setbench.models.contract.entries import fault
from setbench.models.entry import PARADIGMS, Entry
from setbench.options import Option, UnknownName

FACTS = {
    "name": "mine",
    "target": "mine:Mine",
    "kind": "encoder",
    "paradigm": "sorting",
    "section": "Sorting",
    "paper": "",
    "summary": "a test",
}


@pytest.mark.parametrize(
    ("wrong", "line"),
    [
        ({"kind": "encodr"}, "mine: kind='encodr' is none that there is; did you mean 'encoder'?"),
        ({"paradigm": "sortng"}, "mine: paradigm='sortng' is none that there is; did you mean 'sorting'?"),
        ({"invariance": "exakt"}, "mine: invariance='exakt' is none that there is; did you mean 'exact'?"),
        ({"invariance": True}, "mine: invariance=True is none that there is; known: exact, approximate, none"),
        ({"sees": "map"}, "mine: sees='map' is none that there is; known: code, feature map"),
        ({"name": "my-model"}, "the name 'my-model' is no plain identifier, as deep_sets is"),
        ({"name": "mine:k"}, "the name 'mine:k' is no plain identifier, as deep_sets is"),
        ({"target": "mine.Mine"}, "mine: target='mine.Mine' is not of the form 'module:Class'"),
        ({"target": "my file:Mine"}, "mine: target='my file:Mine' is not of the form 'module:Class'"),
        ({"cost": 2}, "mine: cost=2 is no text; say what it costs in the set's size N"),
        ({"cost": ""}, "mine: cost='' is no text; say what it costs in the set's size N"),
        ({"overrides": ("k",)}, "mine: overrides has 'k'; there are none"),
        ({"rows": ("k=2",)}, "mine has no option 'k'; it has none"),
        ({"rows": ("k=0",), "options": {"k": Option(1, "", low=1)}}, "mine:k=0: it takes a whole number, at least 1"),
    ],
    ids=str,
)
def test_a_wrong_entry_is_one_line_that_blames_what_is_wrong(wrong, line):
    with pytest.raises(ValueError, match=r"^") as raised:
        register(Entry(**{**FACTS, **wrong}))
    assert str(raised.value) == line
    assert "mine" not in CATALOGUE


def test_a_name_is_given_once():
    with pytest.raises(ValueError, match="has a 'fspool' already"):
        register(replace(CATALOGUE["fspool"], summary="another"))


def test_all_paradigms_occur():
    assert {entry.paradigm for entry in CATALOGUE.values()} == set(PARADIGMS)


@pytest.mark.parametrize("entry", CATALOGUE.values(), ids=CATALOGUE)
def test_options_are_those_of_the_class(entry):
    assert fault(entry) is None


def test_two_defaults_alone_are_meant_not_to_be_the_class_s():
    overridden = {entry.name: entry.overrides for entry in CATALOGUE.values() if entry.overrides}
    assert overridden == {"permutation_adversary_raw": ("predict",), "pyg_ordered": ("aggr",)}


def test_who_sees_more_than_one_vector_says_so():
    notes = {entry.name: entry.note for entry in CATALOGUE.values() if entry.note}
    assert notes == dict.fromkeys(("slot_attention", "slot_mixture"), "sees a feature map, not one vector")


UNBOUNDED = {("mlp", "presence"), ("lstm", "presence")}
"""Any number will do."""

NUMBERS = [
    (entry, name)
    for entry in CATALOGUE.values()
    for name, option in entry.options.items()
    if not option.choices
    and (type(option.default) in (int, float) or option.words)
    and (entry.name, name) not in UNBOUNDED
]


def edges(option: Option) -> tuple[list[float], list[float]]:
    """Numbers on the border of what an option takes; numbers just beyond it."""
    inside = [bound for bound in (option.low, option.high) if bound is not None]
    outside = [option.low - 1] if option.low is not None else []
    outside += [option.high + 1] if option.high is not None else []
    if option.above is not None:
        inside, outside = [*inside, option.above + 0.01], [*outside, option.above]
    return inside, [*outside, float("nan"), float("inf")]


def build(text):
    model = parse(text, ("encoder", "decoder", "predictor"))
    if model.entry.kind == "encoder":
        encoder = encoders.build(model)
        assert encoder(*encoders.sets(6, 4, 1)).isfinite().all()
    elif model.entry.kind == "decoder":
        assert decoders.answer(decoders.build(model), decoders.codes(model, 3)).isfinite().all()
    else:
        model.entry.load()(decoders.SPEC, 4, 8, **model.options)(decoders.sets(3, decoders.torch.float32))


@pytest.mark.parametrize(("entry", "name"), NUMBERS, ids=[f"{entry.name}-{name}" for entry, name in NUMBERS])
def test_a_number_has_a_range_and_its_edge_is_built_and_beyond_it_nothing(entry, name):
    option = entry.options[name]
    inside, outside = edges(option)
    assert inside, "a number without a range"
    graph = ",graph=knn" if name == "neighbours" and "graph" in entry.options else ""
    for value in inside:
        build(f"{entry.name}:{name}={value}{graph}")
    for value in outside:
        with pytest.raises(UnknownName) as raised:
            parse(f"{entry.name}:{name}={value}", (entry.kind,))
        assert str(raised.value) == f"{entry.name}:{name}={value}: it takes {option.wanted}"
        assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("gatv2:heads=0", "gatv2:heads=0: it takes a whole number, at least 1"),
        ("gumbel_sinkhorn:temperature=0", "gumbel_sinkhorn:temperature=0: it takes a number, more than 0"),
        ("lambda_net:neighbours=1", "lambda_net:neighbours=1: it takes a whole number, at least 2"),
        ("dspn:step=-0.5", "dspn:step=-0.5: it takes a number, more than 0, or calibrated, or paper"),
        ("dspn:momentum=1.0", "dspn:momentum=1.0: it takes a number, at least 0, at most 0.999"),
        ("dspn:steps=2.5", "dspn:steps=2.5: it takes a whole number, at least 1"),
        ("fspool:piecs=3", "fspool has no option 'piecs'; did you mean 'pieces'?"),
        ("fspool:pieces", "fspool: option 'pieces' needs a value, as in fspool:pieces=VALUE"),
        ("fspol", "no encoder or decoder is called 'fspol'; did you mean 'fspool'?"),
    ],
)
def test_what_is_no_model_is_one_line(text, line):
    with pytest.raises(UnknownName) as raised:
        parse(text, ("encoder", "decoder"))
    assert str(raised.value) == line


def test_a_model_is_named_as_it_is_asked_for():
    """Options at their defaults are left out, unless they tell the rows of the default cross apart."""
    names = {
        "janossy": "janossy:k=2",
        "janossy:phi=gru,k=3": "janossy:k=3,phi=gru",
        "pointnet:transforms=True": "pointnet:transforms=True",
        "pointnet": "pointnet:transforms=False",
        "fspool:pieces=20": "fspool",
        "dspn:step=0.5,steps=10": "dspn:step=0.5",
        "set_transformer:block=isab": "set_transformer:variant=paper,block=isab",
    }
    assert {text: parse(text, ("encoder", "decoder")).name for text in names} == names
    assert [model.name for model in model_specs("encoder") if model.entry.name == "janossy"] == [
        "janossy:k=2",
        "janossy:k=3",
        "janossy:k=N",
    ]
