"""The bound on single elements, the authors' figures, the table."""

import numpy as np
import pandas as pd
import pytest

from setbench.bench.experiments.variance_pairs import (
    MODELS,
    TASKS,
    column,
    least_of_singles,
    metric_of,
    table,
    theirs,
)


def test_no_sum_over_single_elements_does_better():
    # The best such sum, by least squares on how often each integer occurs, on sets small enough to list them all.
    size, most = 3, 4
    sets = np.stack(np.meshgrid(*[np.arange(most + 1)] * size), axis=-1).reshape(-1, size)
    counts = (sets[:, :, None] == np.arange(most + 1)).sum(axis=1)
    variance = sets.var(axis=1)
    fit, *_ = np.linalg.lstsq(counts.astype(float), variance, rcond=None)
    error = np.sqrt(np.mean((counts @ fit - variance) ** 2))
    assert least_of_singles(size, most) == pytest.approx(error, rel=1e-9)
    assert least_of_singles() == pytest.approx(111.8, abs=0.05)


def test_theirs_are_found_for_every_task():
    found = theirs()
    assert {task for task, _ in found} == set(TASKS)
    assert found["arithmetic_variance", "k=2, linear rho"] == "21.9"
    assert {system for _, system in found} >= set(MODELS)


def test_table_shows_means_and_theirs_in_brackets():
    runs = pd.DataFrame(
        [
            {"task": task, "model": model, "score": value * (10 if metric_of(task) == "rmse" else 1), "constant": 7.0}
            for task in TASKS
            for model in MODELS
            for value in (1.0, 3.0)
        ]
    )
    shown = table(runs).set_index("model")
    # Two values of standard deviation sqrt 2: 12.706 sqrt 2 / sqrt 2.
    assert shown.loc["k=1, linear rho", column("arithmetic_sum")] == "2.00 ± 13 (91.5)"
    assert shown.loc["k=1, linear rho", column("arithmetic_variance")] == "20.0 ± 127 (127.2)"
    assert shown.loc["best constant", column("arithmetic_range")] == "7.00"


def test_linear_and_mlp_rho_are_both_there():
    for k in (1, 2):
        assert {f"k={k}, linear rho", f"k={k}, MLP rho"} <= set(MODELS)
