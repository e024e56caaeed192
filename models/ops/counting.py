"""How many terms a Janossy sum has. Imports no torch: the plan asks before anything runs."""

from __future__ import annotations

import math
from collections.abc import Mapping

from setbench.options import Value


def ordered_tuples(size: int, options: Mapping[str, Value]) -> tuple[int, str]:
    """Ordered k-tuples of a set of ``size`` (distinct elements, unless ``diagonal``), and the arithmetic in words."""
    k = size if options["k"] == "N" else int(options["k"])
    if options.get("diagonal"):
        return size**k, f"{size}^{k} ordered {k}-tuples with repeats"
    k = min(k, size)
    return math.perm(size, k), f"{size}!/({size}-{k})! ordered {k}-tuples"
