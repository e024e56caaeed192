"""AUROC against a count of pairs; what counts as wrong; the doubts of one predictor."""

import math

import pytest
import torch

from bench.experiments.spread_auroc import SINGLE, SOFTMAX, SPREAD, auroc, measured, wrong_ones
from bench.experiments.training import cell, fresh


def test_auroc_is_the_share_of_pairs_in_the_right_order():
    torch.manual_seed(0)
    doubt = torch.randint(5, (40,)).double()  # with ties
    wrong = torch.rand(40) < 0.4
    higher = doubt[wrong][:, None] - doubt[~wrong][None]
    share = (higher > 0).double().mean() + 0.5 * (higher == 0).double().mean()
    assert auroc(doubt, wrong) == pytest.approx(100 * share.item())
    assert math.isnan(auroc(doubt, torch.ones(40, dtype=torch.bool)))


def test_a_number_is_wrong_after_rounding():
    task, _ = fresh(cell("arithmetic_range", "pi_sgd", 0))
    right = torch.tensor([10.0, 11.0, 12.0])
    close = (right + torch.tensor([0.4, -0.4, 0.6]) - task.mean) / task.spread
    assert wrong_ones(task, close, right).tolist() == [False, False, True]


def test_a_class_is_wrong_where_another_one_is_chosen():
    task, _ = fresh(cell("set_digits_classes", "pi_sgd", 0))
    logits = torch.eye(10)[[3, 4]]
    assert wrong_ones(task, logits, torch.tensor([3, 5])).tolist() == [False, True]


def test_numbers_have_no_softmax_to_doubt():
    task, predictor = fresh(cell("arithmetic_range", "pi_sgd", 0, sizes={"train": 8, "validation": 8, "test": 200}))
    found = measured(task, predictor, seed=0)
    assert {SOFTMAX, SINGLE}.isdisjoint(found)
    assert 0 <= found[SPREAD] <= 100
    assert 50 < found["wrong"] < 100  # untrained
