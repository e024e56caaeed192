"""Coordinates that models see centred: the same sets in other units, measured in the papers' whichever a model saw."""

import os
from pathlib import Path

import numpy as np
import pytest
import torch

from setbench.sets import PredictedSets
from setbench.specs import SetSpec
from setbench.tasks.catalogue import TASKS, parse_task
from setbench.tasks.interfaces import Task

SIZES = {"train": 24, "validation": 8, "test": 10}
pytestmark = pytest.mark.usefixtures("small_work")

WITH = [name for name, task in TASKS.items() if "coordinates" in task.options]
SETS_OUT = [name for name in WITH if isinstance(TASKS[name].output_spec({}), SetSpec)]


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("coordinates")


def both(name: str, cache: Path) -> tuple[Task, Task]:
    folder = os.environ.get("SETBENCH_DATA")
    if name.startswith("set_mnist") and folder is None:
        pytest.skip("needs real data: give the folder in SETBENCH_DATA")
    # of 200 points most sets have some padding, which the papers' loss counts as points in the corner
    points = ",points=200" if "points" in TASKS[name].options else ""
    found = [
        parse_task(f"{name}:coordinates={how}{points}").make(SIZES, cache, folder and Path(folder))
        for how in ("unit", "centred")
    ]
    for task in found:
        task.prepare(lambda what, done, total: None)
    return found[0], found[1]


@pytest.mark.parametrize("name", WITH)
def test_models_see_the_same_sets_from_minus_two_to_two(name: str, cache: Path) -> None:
    unit, centred = both(name, cache)
    assert unit.identity != centred.identity
    side = "targets" if name in SETS_OUT else "inputs"
    plain, seen = (getattr(task.split("train"), side) for task in (unit, centred))
    assert torch.equal(plain.mask, seen.mask)
    assert (seen.elements[~seen.mask] == 0).all()
    x = plain.elements[plain.mask].numpy().astype(np.float64)
    assert -0.1 < x.min() < 0.3  # a box may reach a little out of its picture
    assert 0.7 < x.max() < 1.1
    np.testing.assert_allclose(seen.elements[seen.mask].numpy(), -2 + (2 - -2) * x, atol=1e-6)


@pytest.mark.parametrize("name", SETS_OUT)
def test_metrics_are_those_of_the_same_sets_in_the_papers_units(name: str, cache: Path) -> None:
    """A prediction near the truth, some slots absent, given in either unit: every metric, every item's score, and for
    points the papers' loss."""
    unit, centred = both(name, cache)
    targets = unit.split("test").targets
    noise = torch.Generator().manual_seed(0)
    told = targets.elements + 0.02 * torch.randn(targets.elements.shape, generator=noise)
    presence = torch.rand(targets.mask.shape, generator=noise)
    there, here = PredictedSets(told, presence), PredictedSets(4 * told - 2, presence)
    one, other = unit.evaluate(there, unit.split("test")), centred.evaluate(here, centred.split("test"))
    assert one == pytest.approx(other, rel=1e-4)
    assert one[unit.headline] > 0
    for key, scores in unit.item_scores(there, unit.split("test")).items():
        torch.testing.assert_close(centred.item_scores(here, centred.split("test"))[key], scores, rtol=1e-4, atol=1e-5)
    ratio = centred.loss(here, centred.split("test").targets) / unit.loss(there, targets)
    if name == "clevr_box":
        assert 1 < ratio < 16  # the loss is of what models see: differences count for more, presence as before
    else:
        assert ratio.item() == pytest.approx(1, rel=1e-4)


@pytest.mark.parametrize("name", SETS_OUT)
def test_constants_are_as_good_in_either_unit(name: str, cache: Path) -> None:
    """To within what another rounding makes of a search: the best one's headline."""
    best = []
    for task in both(name, cache):
        split, candidates = task.split("test"), task.constants(task.split("train"))
        scores = [
            task.evaluate(PredictedSets(*(part.expand(len(split), *part.shape[1:]) for part in one)), split)[
                task.headline
            ]
            for one in candidates.values()
        ]
        best.append((max if task.metrics[task.headline].higher_is_better else min)(scores))
    assert best[1] == pytest.approx(best[0], rel=0.1)
