"""The pictures that ``RENDERER`` names, held by eight scenes that were kept when it was given its value.

They hold the pictures and not the code: rename, move and speed up what you like. Where the pictures are MEANT to
change, do the three things that ``CHANGED`` says.
"""

from pathlib import Path

import numpy as np
import pytest

from setbench.tasks.clevr.files.identity import RENDERER
from setbench.tasks.clevr.files.records import pack
from setbench.tasks.clevr.files.sample import sample
from setbench.tasks.clevr.render.picture import render

FILE = Path(__file__).with_name("golden.npz")
CHANGED = (
    "pictures changed: if that is meant, give tasks/clevr/files/identity.py RENDERER another value, run "
    "python -m setbench.bench.maintenance.pretrain, and keep the new pictures with "
    "PYTHONPATH=. python tests/tasks/clevr/test_golden.py"
)


def drawn() -> dict[str, np.ndarray]:
    """Eight scenes of the first training shard as records of the store, and their pictures uint8[8, 3, 128, 128]."""
    scenes = sample(0, 0, 0, 8)
    return {"renderer": np.array(RENDERER), "records": pack(scenes), "pictures": np.asarray(render(scenes))}


@pytest.fixture(scope="module")
def kept() -> dict[str, np.ndarray]:
    with np.load(FILE) as file:
        return dict(file)


@pytest.fixture(scope="module")
def made() -> dict[str, np.ndarray]:
    return drawn()


def test_the_kept_pictures_are_of_this_version(kept: dict[str, np.ndarray]) -> None:
    assert str(kept["renderer"]) == RENDERER, "RENDERER has another value than the kept pictures: " + CHANGED


def test_scenes_are_those_that_were_kept(kept: dict[str, np.ndarray], made: dict[str, np.ndarray]) -> None:
    assert made["records"].dtype == kept["records"].dtype, CHANGED
    for name in set(kept["records"].dtype.names) - {"pixel"}:
        np.testing.assert_array_equal(made["records"][name], kept["records"][name], f"{name}: {CHANGED}")
    # what the camera makes of the scene, in a unit's own rounding
    np.testing.assert_allclose(made["records"]["pixel"], kept["records"]["pixel"], rtol=1e-5, err_msg=CHANGED)


def test_pictures_are_those_that_were_kept_to_one_grey_level(
    kept: dict[str, np.ndarray], made: dict[str, np.ndarray]
) -> None:
    apart = np.abs(made["pictures"].astype(int) - kept["pictures"].astype(int))
    assert made["pictures"].shape == (8, 3, 128, 128)
    assert apart.max() <= 1, f"up to {apart.max()} grey levels apart; {CHANGED}"


def test_the_kept_pictures_show_something(kept: dict[str, np.ndarray]) -> None:
    """Eight different scenes, none of them flat: a test against empty pictures would hold anything."""
    flat = kept["pictures"].reshape(8, -1).astype(float)
    assert flat.std(axis=1).min() > 10
    assert len(np.unique(flat, axis=0)) == 8


if __name__ == "__main__":
    np.savez_compressed(FILE, **drawn())
