"""Cells of the sweep with what was changed; the loop on fresh examples; numbers of sets."""

import math

import pytest
import torch
from torch import nn

from setbench.bench.cell.train import Diverged
from setbench.bench.experiments.numbers_of_sets import Problem, learn_number
from setbench.bench.experiments.study import Run
from setbench.bench.experiments.training import budget_text, cell, learn, untrained, validation_loss
from setbench.bench.plan.presets import load
from setbench.sets import SetBatch
from setbench.specs import SetSpec

RUN = Run(seed=3, rate=0.5, steps=9, scale=0.01)


def test_cells_are_the_sweeps_with_what_was_changed():
    found = cell("arithmetic_sum", "deep_sets", RUN, head="linear")
    sweep = load("sweep").settings("arithmetic_sum", "deep_sets")[0]
    assert (found.seed, found.encoder, found.settings.head) == (3, "deep_sets", "linear")
    assert (found.settings.steps, found.settings.learning_rate) == (9, 0.5)
    assert (found.settings.batch, found.settings.width) == (sweep.batch, sweep.width)
    assert found.settings.sizes == {"train": 100, "validation": 64, "test": 64}
    assert f"batches of {sweep.batch} sets" in budget_text()


def test_a_row_that_cannot_run_says_why():
    with pytest.raises(ValueError, match="coordinates"):
        cell("arithmetic_sum", "pointnet_plus_plus", RUN)


def test_the_validation_loss_is_the_tasks_on_that_split():
    task, predictor = untrained(cell("arithmetic_sum", "deep_sets", RUN))
    split = task.split("validation")
    with torch.no_grad():
        guess = predictor.eval()(split.batch(torch.arange(64)).inputs)
    expected = (guess - (split.targets - task.mean) / task.spread).abs().mean().item()
    assert validation_loss(task, predictor) == pytest.approx(expected, rel=1e-5)


def test_the_loop_finds_a_minimum_and_its_rate_ends_at_nothing():
    model = nn.Linear(1, 1, bias=False)
    seen = []

    def loss(generator):
        x = torch.rand(8, 1, generator=generator) + 0.5
        seen.append(model.weight.item())
        return (model(x) - 3 * x).square().mean()

    learn(model, loss, Run(seed=0, rate=0.1, steps=200))
    assert model.weight.item() == pytest.approx(3, abs=0.05)
    assert abs(seen[-1] - seen[-2]) < abs(seen[1] - seen[0]) / 100


def test_a_loss_that_is_no_number_diverges():
    model = nn.Linear(1, 1)
    with pytest.raises(Diverged, match="nan"):
        learn(model, lambda _: model(torch.full((1, 1), math.nan)).sum(), Run(seed=0, rate=0.1, steps=2))


def test_a_number_of_sets_is_learned_in_its_own_units():
    def draw(count, generator):
        elements = torch.rand(count, 3, 1, generator=generator)
        return SetBatch(elements, torch.ones(count, 3, dtype=torch.bool))

    problem = Problem(SetSpec(1, 3), draw, lambda sets: 100 + 10 * sets.elements.sum(dim=(1, 2)))
    learned = learn_number(problem, "deep_sets", "linear", Run(seed=0, rate=1e-2, steps=150, scale=0.5))
    sets, right = problem.examples(500, seed=5)
    error = (learned.answers(sets) - right).square().mean().item() / right.var(correction=0).item()
    assert error < 0.05
    assert learned.validation == pytest.approx(error, rel=0.6)
    torch.testing.assert_close(learned.of_codes(learned.predictor.encoder(sets.elements)), learned.answers(sets))
