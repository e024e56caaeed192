"""AUROC against a count of pairs; what counts as wrong; the doubts of one predictor."""

import math

import pandas as pd
import pytest
import torch

from setbench.bench.experiments.spread_auroc import SINGLE, SOFTMAX, SPREAD, VOTES, answers, auroc, measured, verdict
from setbench.bench.experiments.study import Run
from setbench.bench.experiments.training import cell, untrained

RUN = Run(seed=0, rate=1e-3, steps=1, scale=0.01)


def test_auroc_is_the_share_of_pairs_in_the_right_order():
    torch.manual_seed(0)
    doubt = torch.randint(5, (40,)).double()  # with ties
    wrong = torch.rand(40) < 0.4
    higher = doubt[wrong][:, None] - doubt[~wrong][None]
    share = (higher > 0).double().mean() + 0.5 * (higher == 0).double().mean()
    assert auroc(doubt, wrong) == pytest.approx(100 * share.item())
    assert math.isnan(auroc(doubt, torch.ones(40, dtype=torch.bool)))


def test_answers_are_rounded_numbers_or_chosen_classes():
    task, _ = untrained(cell("arithmetic_range", "pi_sgd", RUN))
    close = (torch.tensor([[10.4, 10.6, 12.6]]) - task.mean) / task.spread
    assert answers(task, close).tolist() == [[10, 11, 13]]
    task, _ = untrained(cell("set_digits_classes", "pi_sgd", RUN))
    assert answers(task, torch.eye(10)[[3, 4]][None]).tolist() == [[3, 4]]


def test_numbers_have_no_softmax_to_doubt():
    task, predictor = untrained(cell("arithmetic_range", "pi_sgd", Run(0, 1e-3, 1, 0.2)))
    found = measured(task, predictor, seed=0)
    assert {SOFTMAX, SINGLE}.isdisjoint(found)
    assert 0 <= found[SPREAD] <= 100
    assert 0 <= found[VOTES] <= 100
    assert 50 < found["wrong"] < 100  # untrained


def test_a_verdict_goes_by_the_interval():
    assert verdict(pd.Series([38.0, 39.0, 40.0])).startswith("below chance")
    assert verdict(pd.Series([58.0, 59.0, 60.0])) == "above chance"
    assert verdict(pd.Series([40.0, 50.0, 59.0])) == "not told from chance"
    assert verdict(pd.Series([90.0])) == "not told from chance"
