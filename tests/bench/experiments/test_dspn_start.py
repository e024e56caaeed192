"""Steps that are taken by hand; thresholds that stop what they should."""

import pytest
import torch

from setbench.bench.experiments.dspn_start import BUDGETS, SHARES, STEPS, inner_loss, measured, taken
from setbench.bench.experiments.study import Run
from setbench.bench.experiments.training import cell, trained
from setbench.sets import PredictedSets


def path(*places: tuple[float, float]) -> list[PredictedSets]:
    return [PredictedSets(torch.tensor(place).reshape(2, 1, 1), torch.ones(2, 1)) for place in places]


def test_a_step_is_taken_where_something_moved():
    # The first sample moves twice and stops, the second never moves.
    assert taken(path((0, 5), (1, 5), (2, 5), (2, 5))) == 1.0
    only_presence = [PredictedSets(torch.zeros(1, 1, 1), torch.full((1, 1), value)) for value in (0.5, 0.6, 0.6)]
    assert taken(only_presence) == 1.0


def test_thresholds_stop_their_share_and_the_path_is_the_decoders():
    run = Run(seed=0, rate=3e-3, steps=3, scale=0.01)
    task, predictor = trained(cell("rotated_square", "deep_sets", run, [f"dspn:steps={STEPS}"]))
    found = measured(task, predictor)
    by_steps = {one["steps"]: one["error"] for one in found if one["varied"] == "steps"}
    stops = [one for one in found if one["varied"] == "threshold"]
    assert list(by_steps) == list(BUDGETS)
    assert [one["share"] for one in stops] == list(SHARES)
    assert stops[0]["steps"] == STEPS
    assert stops[0]["error"] == pytest.approx(by_steps[STEPS])
    steps = [one["steps"] for one in stops]
    assert steps == sorted(steps, reverse=True)
    # 90 % of the sets do not move at all, the others at most all the way.
    assert steps[-1] <= 0.1 * STEPS + 0.1
    assert predictor.decoder.stop == 0


def test_the_inner_loss_is_that_which_is_descended():
    run = Run(seed=0, rate=3e-3, steps=1, scale=0.01)
    task, predictor = trained(cell("rotated_square", "deep_sets", run, [f"dspn:steps={STEPS}"]))
    decoder = predictor.decoder
    code = predictor.code(task.split("test").batch(torch.arange(4)).inputs)
    start = decoder.start(code)
    _, loss = decoder.gradient(start.detach().requires_grad_(), code, again=False)
    sets = PredictedSets(start[..., :-1], start[..., -1])
    torch.testing.assert_close(inner_loss(decoder, sets, code).detach(), loss)
