"""The cross by the design's table, counted in a second way; and a cell's identity."""

import json
import math
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest

from setbench.bench.plan.cells import Cell, Request, asked_tasks, plan
from setbench.bench.plan.presets import Settings, load
from setbench.bench.plan.rows import CONSTANT
from setbench.models.catalogue import CATALOGUE, UnknownName
from setbench.tasks.catalogue import TASKS

ROOT = Path(__file__).parents[3]


def request(*tasks: str, preset: str = "smoke", seeds: Sequence[int] = (0,), **more: Any) -> Request:
    usual: dict[str, Any] = {"encoders": None, "decoders": None, "device": "cpu", "data": None}
    return Request(tasks=asked_tasks(tasks), seeds=seeds, preset=load(preset), **{**usual, **more})


def count(kind: str, iterative: bool | None = None) -> int:
    """Rows of the catalogue, counted without ``setbench.models.catalogue.rows``."""
    return sum(
        len(entry.rows) + len(entry.more_rows)
        for entry in CATALOGUE.values()
        if entry.kind == kind and iterative in (None, entry.needs_encoder)
    )


@pytest.mark.parametrize("seeds", [(0,), (0, 1, 5)])
def test_the_whole_cross_has_as_many_cells_as_the_table_says(seeds: tuple[int, ...]) -> None:
    encoders, decoders, whole = count("encoder"), count("decoder"), count("predictor")
    seeing = sum(entry.sees == "feature map" for entry in CATALOGUE.values())
    iterative = count("decoder", iterative=True)
    expected = {
        "set_digits": encoders * (decoders - seeing) + seeing + whole,
        "set_digits_classes": encoders,
        "arithmetic_sum": encoders,
        "rotated_square": (decoders - iterative) + encoders * iterative,
        "clevr_state": (decoders - iterative) + encoders * iterative,
    }
    assert encoders > 20
    assert iterative == 2
    for task, trained in expected.items():
        assert len(plan(request(task, seeds=seeds))) == 1 + trained * len(seeds), task


def test_no_cell_stands_twice() -> None:
    cells = plan(request(*TASKS))
    assert len({cell.identity for cell in cells}) == len(cells)
    assert len({(cell.task, cell.row) for cell in cells}) == len(cells)


def test_rows_of_a_small_cross() -> None:
    asked = {"encoders": ["deep_sets", "raw_mlp"], "decoders": ["mlp", "dspn", "idspn"]}
    named = {
        task: [cell.row for cell in plan(request(task, **asked))]
        for task in ("set_digits", "arithmetic_sum", "rotated_square")
    }
    assert named == {
        "set_digits": [
            CONSTANT,
            *[f"{encoder} + {decoder}" for decoder in asked["decoders"] for encoder in asked["encoders"]],
        ],
        "arithmetic_sum": [CONSTANT, "deep_sets", "raw_mlp"],
        "rotated_square": [
            CONSTANT,
            "mlp decoder",
            "deep_sets + dspn",
            "raw_mlp + dspn",
            "deep_sets + idspn",
            "raw_mlp + idspn",
        ],
    }


def test_a_decoder_that_is_named_with_an_encoder_stands_with_that_one_alone() -> None:
    """Sets from sets: with it; sets from pictures: a plain decoder is one row, whatever encoder it was named with."""
    decoders = ["fspool + mlp", "gin + mlp", "dspn", "deep_sets + idspn"]
    preset = replace(load("smoke"), rows_of={"encoders": ["deep_sets", "janossy:k=2"], "decoders": decoders})

    def rows(task: str, encoders: Sequence[str] | None = None) -> list[str]:
        cells = plan(replace(request(task, encoders=encoders), preset=preset))
        return [cell.row for cell in cells if not cell.constant]

    iterative = ["deep_sets + dspn", "janossy:k=2 + dspn", "deep_sets + idspn"]
    assert rows("set_digits") == ["fspool + mlp", "gin:graph=complete + mlp", *iterative]
    assert rows("clevr_state") == ["mlp decoder", *iterative]
    asked = [f"pointnet:transforms=False + {name}" for name in ("mlp", "dspn", "idspn")]
    assert rows("set_digits", ["pointnet:transforms=false"]) == asked, "encoders that were asked for stand in all"


def test_a_row_asked_for_twice_is_one() -> None:
    cells = plan(request("arithmetic_sum", encoders=["janossy", "janossy:k=2", "janossy:k=2,phi=gru", "janossy"]))
    assert [cell.row for cell in cells] == [CONSTANT, "janossy:k=2", "janossy:k=2,phi=gru"]


def test_out_of_reach_is_a_row_with_the_arithmetic() -> None:
    cells = plan(request("arithmetic_variance", preset="quick", encoders=["janossy:k=3", "janossy:k=N", "janossy:k=2"]))
    blocked = {cell.row: cell.blocked for cell in cells[1:]}
    assert blocked["janossy:k=2"] is None
    assert blocked["janossy:k=3"] is None
    status, why = blocked["janossy:k=N"] or ("", "")
    assert status == "intractable"
    assert f"{math.factorial(10):,} terms" in why
    assert "over the 5,000" in why


def test_as_many_terms_as_the_limit_are_in_reach_and_one_more_is_not() -> None:
    """All orders of three of five elements: 5 * 4 * 3."""
    preset = load("quick")
    for limit, reached in ((60, True), (59, False)):
        asked = request("arithmetic_sum", encoders=["janossy:k=3"])
        (cell,) = plan(replace(asked, preset=preset.with_settings({"max_terms": limit})))[1:]
        assert (cell.blocked is None) == reached


def test_needing_coordinates_is_not_applicable_where_there_are_none() -> None:
    needy = [entry.name for entry in CATALOGUE.values() if entry.needs_positions]
    assert needy
    for task in ("arithmetic_sum", "rotated_square"):
        for cell in plan(request(task, encoders=needy, decoders=["dspn"]))[1:]:
            if TASKS[task].has_positions:
                assert cell.blocked is None or cell.encoder == "se3_attention:positions=invariant"
            else:
                assert cell.blocked == (
                    "not_applicable",
                    f"{cell.encoder.partition(':')[0]} needs coordinates; the elements of arithmetic_sum have none",
                )


def test_who_knows_no_place_reads_sets_but_places_none() -> None:
    rows = ["se3_attention", "se3_attention:positions=absolute"]
    for task, decoders in (("rotated_square", ["dspn"]), ("set_digits", ["mlp"]), ("set_digits_classes", [])):
        blind, seeing = plan(request(task, encoders=rows, decoders=decoders))[1:]
        assert seeing.blocked is None
        if decoders:
            status, why = blind.blocked or ("", "")
            assert (status, why.partition(";")[2]) == ("not_applicable", " see positions=absolute")
        else:
            assert blind.blocked is None


def test_neighbours_that_are_all_others_are_not_timed_as_neighbours() -> None:
    asked = ["gin:graph=knn", "gin", "gin:graph=knn,neighbours=3"]
    found = {cell.row: cell.blocked for cell in plan(request("arithmetic_sum", encoders=asked))}
    assert found.pop("gin:graph=knn") == (
        "not_applicable",
        "kNN with k=8 on sets of at most 5 is the complete graph; see graph=complete",
    )
    assert set(found.values()) == {None}
    asked = ["gin:graph=knn"]
    assert plan(request("set_digits_classes", encoders=asked))[1].blocked is None


def test_who_sees_a_feature_map_needs_pictures() -> None:
    """One row a decoder: it runs where an image encoder is trained, and says elsewhere what is missing."""
    found = {
        (task, preset): plan(request(task, preset=preset, encoders=["deep_sets"], decoders=["slot_attention"]))[1:]
        for task, preset in (
            ("clevr_state", "smoke"),
            ("clevr_state", "quick"),
            ("set_digits", "smoke"),
            ("rotated_square", "smoke"),
        )
    }
    blocked = {}
    for asked, (cell,) in found.items():
        assert cell.row == "slot_attention decoder"
        blocked[asked] = cell.blocked
    assert blocked[("clevr_state", "smoke")] is None
    words = "slot_attention sees a picture's feature map; "
    assert blocked[("clevr_state", "quick")] == (
        "not_applicable",
        words + "frozen features are one vector a picture",
    )
    assert blocked[("set_digits", "smoke")] == ("not_applicable", words + "what comes into set_digits is a set")
    assert blocked[("rotated_square", "smoke")] == (
        "not_applicable",
        words + "what comes into rotated_square is a vector",
    )


def test_an_impossible_pair_that_was_asked_for_is_a_row() -> None:
    whole = next(entry.name for entry in CATALOGUE.values() if entry.kind == "predictor")
    for task in ("arithmetic_sum", "rotated_square"):
        (cell,) = [cell for cell in plan(request(task, encoders=[whole], decoders=["mlp"])) if cell.encoder == whole]
        assert cell.blocked is not None
        assert cell.blocked[0] == "not_applicable"
    assert [cell.blocked for cell in plan(request("set_digits", encoders=[whole], decoders=[]))] == [None, None]


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"encoders": ["deep_set"]}, "did you mean 'deep_sets'?"),
        ({"encoders": ["dspn"]}, "no encoder or predictor is called 'dspn'"),
        ({"decoders": ["dspm"]}, "did you mean 'dspn'?"),
        ({"encoders": ["janossy:q=3"]}, "janossy has no option 'q'"),
        ({"encoders": ["janossy:k=x"]}, "janossy:k=x: it takes a whole number, at least 1, or N"),
    ],
)
def test_unknown_names_get_one_line(asked: dict[str, Any], words: str) -> None:
    with pytest.raises(UnknownName) as caught:
        plan(request("rotated_square", **asked))
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def one(**more: Any) -> Cell:
    return plan(request("arithmetic_sum", encoders=["janossy:k=2"], **more))[1]


def test_identity_follows_each_setting() -> None:
    cell = one()
    other: dict[str, Any] = {"sizes": {"train": 1}, "task_options": {"x": 1}}
    for field in fields(Settings):
        value = getattr(cell.settings, field.name)
        changed = other.get(field.name) or ("other" if isinstance(value, str) else value + 1)
        settings = replace(cell.settings, **{field.name: changed})
        assert replace(cell, settings=settings).identity != cell.identity, field.name


def test_identity_follows_seed_data_device_model_task_and_split() -> None:
    cell = one()
    changes: list[dict[str, Any]] = [
        {"seed": 1},
        {"data_key": "other"},
        {"device": "cuda"},
        {"encoder": "janossy:k=3"},
        {"decoder": "mlp"},
        {"task": "arithmetic_range"},
        {"split": "validation"},
        {"threads": 2},
        {"precision": "bf16"},
        {"precision": "tf32"},
        {"options": {"encoder": {"k": 2, "phi": "another default"}}},
    ]
    assert len({replace(cell, **change).identity for change in [{}, *changes]}) == len(changes) + 1


def test_identity_follows_nothing_else() -> None:
    """Not the preset's name, not how it was tuned, not the order of options or of cells, not the process."""
    cell = one()
    for change in ({"preset": "other"}, {"tuned": "by --tune"}, {"blocked": ("intractable", "x")}):
        assert replace(cell, **change).identity == cell.identity
    both = [
        plan(request("rotated_square", encoders=["deep_sets"], decoders=[name]))[1].identity
        for name in ("dspn:steps=5,momentum=0.5", "dspn:momentum=0.5,steps=5,loss=all")
    ]
    assert both[0] == both[1]
    code = (
        "import json; from setbench.bench.plan.cells import *; from setbench.bench.plan.presets import load;"
        "print(json.dumps([c.identity for c in plan(Request("
        "asked_tasks(['arithmetic_range','arithmetic_sum']),['janossy:k=2'],None,(0,),load('smoke'),'cpu',None))]))"
    )
    elsewhere = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={**os.environ, "PYTHONHASHSEED": "7"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(elsewhere.stdout)[3] == cell.identity
