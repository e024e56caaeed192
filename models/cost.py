"""The costs of the catalogue as numbers, to be set beside what is measured. Imports no torch.

A cost is written as ``N log N``, or as a sum of terms that may say what they count, ``N^2 distances + N k messages``;
other costs under some values of an option stand behind it: ``N^2; block=isab: N``. Single letters but N are constants.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping

from setbench.options import Value

FACTOR = re.compile(r"N!/\(N-k\)!|N(?:\^(?P<power>\d+))?(?!\w)|(?P<log>log N)(?!\w)|[a-z](?:\^\d+)?(?!\w)|[a-z]{2,}")


def cost_of(cost: str, options: Mapping[str, Value]) -> str:
    """The one of an entry's costs that holds under these options: ``N`` of ``N^2; block=isab: N`` for isab."""
    default, *cases = cost.split(";")
    for case in cases:
        where, _, under = case.partition(":")
        name, _, values = where.strip().partition("=")
        if str(options.get(name)) in values.split(","):
            return under.strip()
    return default.strip()


def log_cost(cost: str, options: Mapping[str, Value], size: int) -> float:
    """The logarithm of the largest term of an entry's cost at a set size of 2 or more, up to a constant.

    ``N!/(N-k)!`` counts the k-tuples of distinct elements, of which a set of fewer than k has those of all.

    Raises:
        ValueError: a cost that is not of this form, in one line.
    """
    return max(_log_term(term.strip(), options, size) for term in cost_of(cost, options).split(" + "))


def _log_term(term: str, options: Mapping[str, Value], size: int) -> float:
    total, at, grows = 0.0, 0, False
    while at < len(term):
        found = FACTOR.match(term, at)
        if found is None:
            break
        grows = grows or found[0][0] == "N"
        if found["log"]:
            total += math.log(math.log(size))
        elif found[0].startswith("N!"):
            k = size if options["k"] == "N" else min(int(options["k"]), size)
            total += math.lgamma(size + 1) - math.lgamma(size - k + 1)
        elif found[0].startswith("N"):
            total += int(found["power"] or 1) * math.log(size)
        at = found.end() + (term[found.end() : found.end() + 1] == " ")
    if at < len(term) or not grows:
        raise ValueError(f"the cost {term!r} is no product as N^2 log N")
    return total
