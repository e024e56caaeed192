"""What the page holds, against the records themselves."""

from __future__ import annotations

import math
import statistics

import numpy as np
import pytest
from scipy.stats import t

from setbench.bench.records.predictions import Examples, Predictions, save
from setbench.bench.report.page.data import anchors, page_data
from setbench.bench.report.page.drawings import STATES
from setbench.bench.report.standing import alike
from setbench.bench.report.tables import tables
from setbench.tasks.catalogue import TASKS
from setbench.tasks.clevr.scenes import constants as c

STATE = "clevr_state"
WORDS = ("material", "colour", "shape", "size")


def of(records, folder=None):
    found = tables(records, folder)
    return {one["task"]: one for one in page_data(found, alike(found), folder)["tables"]}


def test_a_row_is_the_mean_of_its_records(whole):
    found = of(whole)
    for task, table in found.items():
        for row in table["rows"]:
            own = [r for r in whole if (r.task, r.row) == (task, row["label"]) and r.measured]
            if len(own) != 3 or row["constant"]:
                continue
            name = own[0].measured.headline.metric
            scores = [r.measured.metrics[r.measured.headline.variant][name] for r in own]
            half = t.ppf(0.975, 2) * statistics.stdev(scores) / math.sqrt(3)
            assert row["values"]["score"] == pytest.approx(statistics.mean(scores))
            assert row["bars"]["score"] == pytest.approx([half, half])
            assert row["values"]["train"] == pytest.approx(statistics.mean(r.measured.time.train for r in own))
            assert row["values"]["latency"] == pytest.approx(own[0].measured.time.latency_ms)
            assert row["values"]["memory"] == pytest.approx(123.4)
            assert row["values"]["parameters"] == own[0].measured.parameters
            if own[0].measured.invariance:
                worst = max(r.measured.invariance.max64 for r in own)
                assert row["values"]["invariance"] == worst
            assert row["curve"]["seconds"][-1] == pytest.approx(statistics.median(r.measured.time.train for r in own))
            assert row["curve"]["score"] == pytest.approx([statistics.median(scores) * part for part in (0.25, 0.5, 1)])
            assert row["records"][:3] == [r.id for r in own]
    assert sum(len(table["rows"]) for table in found.values()) == len({(r.task, r.row) for r in whole})


def test_rows_without_a_result_come_last_and_say_why(whole):
    rows = of(whole)[STATE]["rows"]
    assert ["score" in row["values"] for row in rows] == [True] * (len(rows) - 2) + [False] * 2
    assert {row["label"].split()[0] for row in rows[-2:]} == {"janossy:k=N", "evil|row"}


def test_what_is_no_finite_number(make):
    moved = {"max": 3e-7, "max64": 1e-16, "relative_to_spread": math.inf}
    table = of([make.record(STATE, "a", invariance=moved), make.record(STATE, "b", score=math.nan)])[STATE]
    assert [row["values"].get("spread") for row in table["rows"]] == ["Infinity", 1e-6]
    assert [row["values"].get("score") for row in table["rows"]] == [1.0, "-Infinity"]


def test_addresses(make):
    real = {"name": "CLEVR v1.0", "kind": "real", "checksum": "abcdef99"}
    other = {"name": "scenes of others", "kind": "rendered", "checksum": "123456789"}
    first = [make.record(STATE, "a")]
    more = [*first, make.record(STATE, "a", data=real), make.record(STATE, "a", device="cuda", gpu="H100", threads=2)]
    assert anchors(tables(first)) == ["clevr_state-rendered-quick-cpu"]
    names = {table.key.checksum: name for table, name in zip(tables(more), anchors(tables(more)), strict=True)}
    assert set(anchors(tables(more))) == {
        "clevr_state-rendered-quick-cpu",
        "clevr_state-real-quick-cpu",
        "clevr_state-rendered-quick-cuda-H100-2-threads",
    }
    assert names["abcdef99"] == "clevr_state-real-quick-cpu"
    twice = anchors(tables([*first, make.record(STATE, "a", data=other)]))
    assert twice == ["clevr_state-rendered-quick-cpu", "clevr_state-rendered-quick-cpu-123456"]


def test_a_median_has_the_ends_as_its_bars(make):
    records = [make.record("rotated_square", "a", seed=s, score=x) for s, x in enumerate([0.05, 69.0, 0.084])]
    (row, _) = of([*records, make.constant("rotated_square", 0.384)])["rotated_square"]["rows"]
    assert row["values"]["score"] == 0.084
    assert row["bars"]["score"] == pytest.approx([0.034, 68.916])


def test_curves_are_medians_at_the_steps_that_all_seeds_have(make):
    def curve(steps, scores, late=1):
        seconds = [late * step / 10 for step in steps]
        return {"validation_step": steps, "validation_seconds": seconds, "validation_score": scores}

    curves = [
        curve([10, 20, 40], [1.0, 3.0, 4.0]),
        curve([10, 20, 40], [2.0, math.nan, 5.0]),
        curve([10, 30, 40], [9.0, 9.0, 90.0], 7),
    ]
    records = [make.record(STATE, "a", seed=seed, curve=one) for seed, one in enumerate(curves)]
    (row,) = of(records)[STATE]["rows"]
    assert row["curve"] == {"step": [10, 40], "seconds": [1.0, 4.0], "score": [2.0, 5.0]}


def test_corners_are_drawn_as_they_were_kept(whole, tmp_path):
    drawn = of(whole, tmp_path)["rotated_square"]["drawings"]
    assert (drawn["kind"], drawn["images"]) == ("corners", None)
    assert drawn["truth"][0] == [[1, 0, 1], [0, 1, 1], [-1, 0, 1], [0, -1, 1]]
    passes = {row["label"]: row["passes"] for row in drawn["rows"]}
    assert {label: len(sets) for label, sets in passes.items()} == {"fspool + dspn": 3, "mlp decoder": 1}
    assert passes["fspool + dspn"][0][5] == [[1.5, 0.5, 1], [0.5, 1.5, 1], [-0.5, 0.5, 1], [0.5, -0.5, 1]]
    assert passes["fspool + dspn"][2] == passes["mlp decoder"][0] == drawn["truth"]


def test_states_are_a_plan_of_the_floor(make, tmp_path):
    """A red metal cylinder between the scene's middle and the camera; absent and infinite slots are not there."""
    assert TASKS[STATE].picture == STATES
    to_camera = np.array(c.CAMERA[:2]) / np.hypot(*c.CAMERA[:2])
    elements = np.zeros((6, 3, 18), np.float32)
    elements[:, 0, :2] = 2 * to_camera / 3
    elements[:, 0, 3:] = [*(0.1, 0.9), *(0, 0, 0, 0, 1, 0, 0, 0), *(0, 0.2, 0.8), *(1, 0)]
    elements[:, 2] = np.inf
    presence = np.tile(np.array([0.75, 0.01, 1.0], np.float32), (6, 1))
    true = np.array([[True, False, False]] * 6)
    images = np.full((6, 8, 8, 3), 128, np.uint8)
    save(tmp_path, "x", Examples(images, elements, true), Predictions(elements[None], presence[None]))
    drawn = of([make.record(STATE, "mlp decoder", id="x", decoder="mlp")], tmp_path)[STATE]["drawings"]
    ((right, away, *kinds, there),) = drawn["rows"][0]["passes"][0][0]
    assert (right, away) == pytest.approx((0, -2), abs=0.02)
    named = [drawn["words"][what][int(kind)] for what, kind in zip(WORDS, kinds, strict=True)]
    assert named == ["metal", "red", "cylinder", "large"]
    assert there == 0.75
    assert drawn["truth"][0][0][:2] == [right, away]
    assert len(drawn["images"]) == 6
    assert drawn["images"][0].startswith("data:image/png;base64,iVBOR")


def test_mean_ranks_are_in_order(whole):
    found = tables(whole)
    (standing,) = page_data(found, alike(found), None)["standings"]
    means = [one["mean"] for one in standing["encoders"]]
    assert means == sorted(means)
    assert sum(means) == pytest.approx(len(means) * (len(means) + 1) / 2)
    assert all(one["low"] <= one["mean"] <= one["high"] for one in standing["encoders"])
