"""What is measured next: the budgets, and what is certain to break them."""

from __future__ import annotations

from dataclasses import replace

from points_for_tests import point, series

from setbench.bench.scaling.plan import SIZES, Series
from setbench.bench.scaling.points import Point

FEW = (8, 16, 32, 64)


def after(one: Series, *steps: float | None, **more: float) -> tuple[int | None, str]:
    """What comes next, when these were the steps of the sizes from 8 on, in ms."""
    points: list[Point] = [point(one, size, step, **more) for size, step in zip(FEW, steps, strict=False)]
    return one.next({found.key: found for found in points}, FEW)


def test_sizes_are_the_powers_of_two_from_8_to_4096() -> None:
    assert SIZES == (8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096)


def test_a_series_goes_on_until_it_has_all_sizes() -> None:
    one = series("deep_sets")
    assert after(one) == (8, "")
    assert after(one, 1.0, 1.5) == (32, "")
    assert after(one, 1.0, 1.5, 2.0, 3.0) == (None, "")


def test_a_step_or_a_peak_over_its_budget_ends_it() -> None:
    one = series("deep_sets")
    assert after(one, 1.0, 2001.0) == (None, "2 s a step at 16 are over the budget of 2 s a step")
    assert after(one, 1.0, memory_mb=5000.0) == (None, "5e+03 MB at 8 are over the budget of 4,096 MB")


def test_what_raised_ends_it_with_its_reason() -> None:
    assert after(series("deep_sets"), 1.0, None) == (None, "failed at 16: RuntimeError: a made-up error")


def test_a_size_that_is_certain_to_break_a_budget_is_not_begun() -> None:
    """1 s grows fourfold by N^2, by what was measured and by the catalogue: 4 s are over 1.5 times the budget."""
    why = "32 would be over the budget of 2 s a step, by the growth up to 16"
    assert after(series("relation_network"), 250.0, 1000.0) == (None, why)
    assert after(series("relation_network"), 600.0, 1000.0) == (32, "")  # 1.7 s by the growth that was measured
    assert after(series("deep_sets"), 250.0, 1000.0) == (32, "")  # 2 s by the catalogue: not certain
    assert after(series("relation_network"), 1.0, 2.0, memory_mb=4000.0)[0] == 32  # it did not grow
    assert after(series("relation_network"), 1000.0) == (None, why.replace("32", "16").replace("to 16", "to 8"))


def test_all_orders_of_sixteen_are_never_begun() -> None:
    assert after(series("janossy:k=N", 1), 0.001)[0] is None


def test_a_cost_in_other_words_is_no_bar() -> None:
    """A plugin may say what it likes of its cost: then growth is known from the third size on."""
    one = series("deep_sets")
    odd = Series(replace(one.model, entry=replace(one.model.entry, cost="a lot")), 32)
    assert odd.log_cost(8) is None
    assert after(odd, 1000.0)[0] == 16
    assert after(odd, 100.0, 1500.0)[0] is None
