"""Invariance errors of predictors that are known: blind to the order, or nothing but noise."""

import pytest
import torch

from setbench.bench.experiments import invariance_accuracy
from setbench.bench.experiments.invariance_accuracy import DRAWS, answers, averaged
from setbench.bench.experiments.study import Run
from setbench.bench.experiments.training import cell, untrained

RUN = Run(seed=0, rate=1e-3, steps=1, scale=0.05)


def test_sorted_sets_are_invariant_and_raw_ones_are_not():
    errors = {}
    for model in ("canonical_sort:net=mlp", "raw_mlp"):
        task, predictor = untrained(cell("arithmetic_range", model, RUN))
        found = averaged(task, predictor.eval(), seed=0)
        assert [one["p"] for one in found] == list(DRAWS)
        errors[model] = [one["invariance error"] for one in found]
    assert max(errors["canonical_sort:net=mlp"]) < 1e-5
    assert errors["raw_mlp"][0] > 0.05
    assert errors["raw_mlp"][-1] < errors["raw_mlp"][0] / 3  # 32 times the draws: 1 / sqrt 32 = 0.18


def test_probabilities_add_up_and_draws_differ():
    task, predictor = untrained(cell("set_digits_classes", "pi_sgd:phi=gru", RUN))
    sets = task.split("test").batch(torch.arange(7)).inputs
    drawn = answers(predictor.eval(), sets, seed=0)
    assert drawn.shape == (2 * max(DRAWS), 7, 10)
    torch.testing.assert_close(drawn.sum(dim=2), torch.ones(drawn.shape[:2]))
    assert (drawn[0] - drawn[1]).abs().max() > 1e-6
    assert torch.equal(drawn, answers(predictor, sets, seed=0))


def test_an_error_of_one_is_the_distance_of_different_sets(monkeypatch):
    """A predictor whose answers are independent of the set: two averages of it are as far apart as two sets."""
    task, predictor = untrained(cell("arithmetic_range", "raw_mlp", RUN))
    torch.manual_seed(0)
    noise = torch.randn(2 * max(DRAWS), task.sizes["test"])
    monkeypatch.setattr(invariance_accuracy, "answers", lambda *_: noise)
    found = averaged(task, predictor, seed=0)
    # Means of p = 32 differ by sqrt(2 / 32), the means of all 64 by sqrt(2 / 64) between sets.
    assert found[-1]["invariance error"] == pytest.approx(2**0.5, rel=0.25)
