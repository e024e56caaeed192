"""Where a row of the catalogue has nothing to say. Imports no torch: the plan asks before anything runs."""

from __future__ import annotations

from collections.abc import Mapping

from setbench.options import Value


def nearest_are_all(size: int, options: Mapping[str, Value]) -> str | None:
    """Why neighbours are no choice in sets of at most ``size``: they are all others, at the cost of finding them."""
    if options["graph"] == "complete" or int(options["neighbours"]) < size - 1:
        return None
    return f"kNN with k={options['neighbours']} on sets of at most {size} is the complete graph; see graph=complete"


def knows_no_place(options: Mapping[str, Value]) -> str | None:
    """Why no set can be placed from the code of attention on distances alone."""
    if options["positions"] == "absolute":
        return None
    return "no rotation or translation changes its code, so no set can be placed from it; see positions=absolute"
