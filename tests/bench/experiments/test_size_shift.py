"""Labels by numpy, sets, and which encoders are asked."""

import numpy as np
import pytest
import torch

from setbench.bench.experiments.size_shift import MOST, draw_sets, encoders, label, terms
from setbench.models.catalogue import parse


def test_labels_are_numpys_whatever_the_padding():
    sets = draw_sets((5, 10), 30, torch.Generator().manual_seed(0))
    assert set(sets.mask.sum(dim=1).tolist()) == set(range(5, 11))
    for name, of in (
        ("spread", lambda points: np.sqrt(points.var(axis=0).sum())),
        ("extent", lambda points: np.ptp(points[:, 0])),
    ):
        expected = [of(points[real].double().numpy()) for points, real in zip(*sets, strict=True)]
        assert label(sets, name).numpy() == pytest.approx(np.array(expected), rel=1e-4)


def test_the_spread_keeps_its_size_and_the_extent_grows():
    few, many = (draw_sets((size, size), 2000, torch.Generator().manual_seed(1)) for size in (10, 100))
    assert label(many, "spread").mean().item() == pytest.approx(label(few, "spread").mean().item(), rel=0.1)
    assert label(many, "extent").mean() > 1.4 * label(few, "extent").mean()


def test_encoders_of_a_fixed_size_and_long_sums_are_left_out_with_a_reason():
    asked, left = encoders()
    assert {"deep_sets", "fspool", "janossy:k=2", "canonical_sort:net=lstm", "raw_lstm"} <= set(asked)
    assert {"raw_mlp", "canonical_sort:net=mlp", "janossy:k=N"} <= set(left)
    assert not set(asked) & set(left)
    assert left["janossy:k=N"] == "3,628,800 terms for 10 elements"
    assert terms(parse("janossy:k=2", ("encoder",)), MOST) == 90
