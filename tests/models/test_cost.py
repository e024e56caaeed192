"""The catalogue's costs as numbers: every encoder's can be read, and is what counting gives."""

from __future__ import annotations

import itertools
import math

import pytest

from setbench.models.catalogue import model_specs, parse
from setbench.models.cost import cost_of, log_cost


def counted(row: str, size: int) -> float:
    """The operations of a few rows, counted one by one."""
    elements = range(size)
    match row:
        case "janossy:k=3":
            return len(list(itertools.permutations(elements, 3)))
        case "janossy:k=N":
            return len(list(itertools.permutations(elements)))
        case "relation_network" | "gin:graph=knn":  # whose distances are more than its messages
            return len(list(itertools.product(elements, elements)))
        case "permutation_optimisation":
            return len(list(itertools.product(elements, elements, elements)))
        case "set_transformer:block=isab" | "pi_sgd" | "pyg_aggregation:aggr=Mean":
            return len(elements)
        case "fspool" | "pyg_aggregation:aggr=Sort":
            return sum(math.log(size) for _ in elements)
        case _:
            return sum(math.log(size) for _ in itertools.product(elements, elements))


@pytest.mark.parametrize("size", [2, 3, 5, 7])
@pytest.mark.parametrize(
    "row",
    [
        *("janossy:k=3", "janossy:k=N", "relation_network", "gin:graph=knn", "permutation_optimisation", "pi_sgd"),
        *("set_transformer:block=isab", "pyg_aggregation:aggr=Mean", "pyg_aggregation:aggr=Sort", "fspool"),
        "relation_fspool",
    ],
)
def test_a_cost_is_what_counting_gives(row: str, size: int) -> None:
    spec = parse(row, ("encoder",))
    if row == "janossy:k=3" and size == 2:  # fewer than three: the tuples of both
        assert log_cost(spec.entry.cost, spec.options, size) == pytest.approx(math.log(2))
        return
    assert log_cost(spec.entry.cost, spec.options, size) == pytest.approx(math.log(counted(row, size)), abs=1e-9)


def test_every_encoder_has_a_cost_that_grows_at_least_as_its_set() -> None:
    specs = model_specs("encoder")
    assert len(specs) > 60
    for spec in specs:
        near, far = (log_cost(spec.entry.cost, spec.options, size) for size in (512, 4096))
        assert far - near >= math.log(8) - 1e-9, spec.name


def test_options_choose_the_cost() -> None:
    cost = "N^2; graph=knn,dynamic: N^2 distances + N k messages; graph=line: N"
    assert cost_of(cost, {"graph": "complete"}) == "N^2"
    assert cost_of(cost, {"graph": "dynamic"}) == "N^2 distances + N k messages"
    assert cost_of(cost, {"graph": "line"}) == "N"
    assert cost_of("N log N", {}) == "N log N"


@pytest.mark.parametrize(
    "cost", ["2 N", "N, one after another", "O(N)", "N^", "N2", "NN", "N^2 (mostly)", "a lot", "log N", ""]
)
def test_what_is_no_product_is_one_line(cost: str) -> None:
    with pytest.raises(ValueError, match="is no product as N\\^2 log N") as error:
        log_cost(cost, {}, 8)
    assert "\n" not in str(error.value)
