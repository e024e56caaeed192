"""Which rows stand together, in which order, and what is at the floor."""

import math

import numpy as np
import pytest

from setbench.bench.report.tables import tables

STATE, VARIANCE = "clevr_state", "arithmetic_variance"


def labels(results):
    return [result.label for result in results]


def test_means_over_seeds_are_numpys(make):
    scores = [20.0, 26.0, 23.0]
    (table,) = tables([make.record(STATE, "a", score=score, seed=seed) for seed, score in enumerate(scores)])
    (result,) = table.results
    found = table.score(result)
    assert (found.centre, found.sd, found.n) == (
        pytest.approx(np.mean(scores)),
        pytest.approx(np.std(scores, ddof=1)),
        3,
    )


def test_more_is_better_or_less_is(make):
    rows = {"a": 5.0, "b": 9.0, "c": 7.0}
    (up,) = tables([make.record(STATE, row, score=score) for row, score in rows.items()])
    (down,) = tables([make.record(VARIANCE, row, score=score) for row, score in rows.items()])
    assert labels(up.ranked) == ["b", "c", "a"]
    assert labels(down.ranked) == ["a", "c", "b"]


def test_equal_rows_share_a_rank_and_the_constant_takes_none(make):
    records = [make.record(STATE, row, score=score) for row, score in {"a": 9.0, "b": 9.0, "c": 3.0}.items()]
    (table,) = tables([*records, make.constant(STATE, 6.0)])
    assert labels(table.ranked) == ["a", "b", "best constant", "c"]
    assert [table.rank(result) for result in table.models] == [1, 1, 3]


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf, None])
@pytest.mark.parametrize("task", [STATE, VARIANCE])
def test_no_number_never_ranks(make, task, bad):
    (table,) = tables([make.record(task, "good", score=4.0), make.record(task, "bad", score=bad)])
    assert labels(table.ranked) == ["good"]
    assert labels(table.unranked) == ["bad"]


def test_one_nan_seed_spoils_its_row(make):
    records = [make.record(STATE, "a", score=score, seed=seed) for seed, score in enumerate([50.0, math.nan])]
    (table,) = tables([*records, make.record(STATE, "b", score=1.0)])
    assert labels(table.ranked) == ["b"]


def test_other_data_preset_or_device_is_another_table(make):
    alone = make.record(STATE, "a")
    real = make.record(STATE, "a", data={"name": "CLEVR v1.0", "kind": "real", "checksum": "ffff"})
    grown = make.record(STATE, "a", data={**alone.measured.data.model_dump(), "checksum": "eeee"})
    paper = make.record(STATE, "a", preset="paper")
    threads = make.record(STATE, "a", threads=2)
    lower = make.record(STATE, "a", precision="bf16")
    gpus = [make.record(STATE, "a", device="cuda", gpu=name) for name in ("H100", "A100")]
    found = tables([alone, real, grown, paper, threads, lower, *gpus])
    assert len(found) == 8
    assert all(len(table.records) == 1 for table in found)
    assert found[0].key.preset == "paper"


def test_same_key_is_one_table(make):
    (table,) = tables([make.record(STATE, row) for row in "abc"])
    assert labels(table.results) == ["a", "b", "c"]


def test_a_cell_that_ended_early_stands_with_its_table(make):
    lost = make.failure(STATE, "b", "killed", "signal 9")
    lower = make.record(STATE, "a", precision="bf16")
    found = {table.key.precision: table for table in tables([lower, lost, make.record(STATE, "a")])}
    assert labels(found["float32"].unranked) == ["b"]
    assert labels(found["bf16"].unranked) == []
    assert lost.measured is None


def test_the_constant_stands_in_every_table_on_its_data(make):
    gpu = make.record(STATE, "a", score=9.0, device="cuda", gpu="H100")
    threads = make.record(STATE, "a", score=9.0, threads=2)
    found = tables([make.constant(STATE, 6.0), make.record(STATE, "a", score=9.0), gpu, threads])
    assert [table.constant.label for table in found] == ["best constant"] * 3


def test_floor_is_the_constant_plus_the_spread(make):
    records = [make.constant(STATE, 6.0), make.record(STATE, "under", score=5.0), make.record(STATE, "same", score=6.0)]
    records += [make.record(STATE, "one seed", score=6.1)]
    records += [
        make.record(STATE, "noisy", score=score, seed=seed) for seed, score in enumerate([6.05, 8.0])
    ]  # 7 ± 1.4
    records += [make.record(STATE, "clear", score=score, seed=seed) for seed, score in enumerate([7.9, 8.1])]
    (table,) = tables(records)
    floored = {result.label for result in table.models if table.at_floor(table.score(result), table.headline)}
    assert floored == {"under", "same", "noisy"}


def test_floor_where_less_is_better(make):
    records = [make.constant(VARIANCE, 240.0), make.record(VARIANCE, "bad", score=250.0)]
    (table,) = tables([*records, make.record(VARIANCE, "good", score=20.0)])
    assert [table.at_floor(table.score(result), "rmse") for result in table.models] == [False, True]


def test_no_constant_no_floor(make):
    (table,) = tables([make.record(STATE, "a", score=0.0)])
    assert not table.at_floor(table.score(table.results[0]), table.headline)


def test_a_row_run_again_counts_once_and_as_its_newest(make):
    old = make.record(STATE, "a", score=1.0, finished="2026-11-20T00:00:00Z", settings={"steps": 10})
    new = make.record(STATE, "a", score=2.0, finished="2026-11-22T00:00:00Z")
    for records in ([old, new], [new, old]):
        (table,) = tables(records)
        assert table.score(table.results[0]).centre == 2.0
        assert table.older == [old]


def test_each_row_is_ranked_by_its_own_headline_variant(make):
    steps = {"T=10": {"ap_inf": 10.0}, "T=20": {"ap_inf": 90.0}}
    dspn = make.record(STATE, "dspn", metrics=steps, headline={"metric": "ap_inf", "variant": "T=10"})
    (table,) = tables([dspn, make.record(STATE, "mlp", score=50.0)])
    assert labels(table.ranked) == ["mlp", "dspn"]
    assert table.results[0].value("ap_inf", "T=20").centre == 90.0


def test_an_exact_encoder_that_is_not_is_seen(make):
    good = make.record(STATE, "good")
    bad = make.record(STATE, "bad", invariance={"max64": 1e-3})
    (table,) = tables([good, bad])
    assert [result.breaks_claim for result in table.results] == [False, True]


def test_latency_in_units_of_the_reference(make):
    (table,) = tables([make.record(STATE, "a")])
    assert table.results[0].latency_ratio.centre == pytest.approx(4.0 / 2.0)


def test_times_of_two_processors_are_never_averaged(make):
    """Those of the processor with most seeds stand in the row; scores are of all seeds."""
    timed = [("Xeon", 10.0), ("EPYC", 1.0), ("EPYC", 2.0), ("EPYC", 3.0), ("Xeon", 30.0)]
    records = [
        make.record(STATE, "a", score=4.0 * seed, seed=seed, machine={"cpu": cpu}, time={"train": seconds})
        for seed, (cpu, seconds) in enumerate(timed)
    ]
    (result,) = tables(records)[0].results
    assert (result.train.centre, result.train.sd, result.train.n) == (2.0, 1.0, 3)
    assert result.value(records[0].measured.headline.metric).centre == np.mean([0, 4, 8, 12, 16])
    assert tables([make.record(STATE, "a", time=None)])[0].results[0].train is None
