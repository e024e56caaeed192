"""Variances of many rows from few seeds each, drawn towards one another (moderated t statistics, Smyth 2004).

Two degrees of freedom say little of a row's variance over seeds, but the rows of a table say of each other how large
such variances are. Where the true ones vary as a scaled inverse chi-squared, the estimate that weighs a row's own with
the common one by their degrees of freedom has the degrees of freedom of both. How many the common one is worth follows
from how unlike the rows are; if their variances have nothing in common, none.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Float

LEAST = 1e-5
"""Of the median variance: a smaller one, such as that of a row that is right under every seed, counts as this."""
FEW = 6
"""So few rows say nothing of one another."""


class Moderated(NamedTuple):
    """``variances`` of the rows, each with so many degrees of ``freedom``."""

    variances: Float[np.ndarray, " rows"]
    freedom: float


def moderated(variances: Float[np.ndarray, " rows"], freedom: int) -> Moderated:
    """From sample variances of ``freedom`` degrees each. Those of few rows, or where most are 0, stay as they are.

    The prior is fitted by the mean and the variance of the logarithms of the sample variances (Smyth's section 6.2),
    and is never worth more than the other rows' degrees of freedom. It is fitted to the very rows that it is used on,
    and the row with the best mean is often one that varies more than others, so that it is taken with caution: the
    variance of the logarithms is raised by its standard error, and the prior counts by ``(rows - FEW) / rows``. On
    simulated tables this keeps the family-wise error (``python -m setbench.bench.maintenance.simulated_tables``).
    """
    from scipy.special import digamma, polygamma

    rows, middle = len(variances), float(np.median(variances))
    if rows <= FEW or not 0 < middle < np.inf:
        return Moderated(variances, freedom)
    logs = np.log(np.maximum(variances, LEAST * middle)) - digamma(freedom / 2) + np.log(freedom / 2)
    excess = logs.var(ddof=1) * (1 + np.sqrt(2 / (rows - 1))) - polygamma(1, freedom / 2)
    most = freedom * (rows - 1)
    prior = min(2 * trigamma_inverse(float(excess)), most) if excess > 0 else most
    common = np.exp(logs.mean() + digamma(prior / 2) - np.log(prior / 2))
    worth = prior * (rows - FEW) / rows
    return Moderated((worth * common + freedom * variances) / (worth + freedom), worth + freedom)


def trigamma_inverse(value: float) -> float:
    """The y whose trigamma is ``value`` (above 0), by Newton's method (Smyth's appendix)."""
    from scipy.special import polygamma

    found = 0.5 + 1 / value
    for _ in range(50):
        trigamma = float(polygamma(1, found))
        step = trigamma * (1 - trigamma / value) / float(polygamma(2, found))
        found += step
        if abs(step) < 1e-8 * found:
            break
    return found
