import dataclasses

import numpy as np

from setbench.tasks.clevr.files.records import pack
from setbench.tasks.clevr.files.sample import sample
from setbench.tasks.clevr.redraw import redraw
from setbench.tasks.clevr.render.picture import render
from setbench.tasks.clevr.scenes import constants as c
from setbench.tasks.clevr.states import present, states


def test_true_states_are_their_scene_under_the_base_camera() -> None:
    scenes = sample(11, 0, 0, 3)
    records = pack(scenes)
    usual = dataclasses.replace(
        scenes,
        camera=np.tile(np.array(c.CAMERA, np.float32), (3, 1)),
        lights=np.tile(np.array(c.LIGHTS, np.float32), (3, 1, 1)),
        rotation=np.zeros_like(scenes.rotation),
    )
    drawn = redraw(states(records), present(records).astype(np.float32))
    wanted = render(usual).permute(0, 2, 3, 1).numpy()
    off = np.abs(drawn.astype(int) - wanted)
    assert off.max() <= 2  # coordinates went through a division by three and back
    assert off.mean() < 0.01


def test_slots_that_are_not_there_are_not_drawn() -> None:
    """In any order, however many slots, whatever an absent one holds."""
    records = pack(sample(11, 0, 0, 1))
    one, there = states(records), present(records).astype(np.float32)
    order = np.random.default_rng(0).permutation(10)
    junk = np.full((1, 4, 18), np.nan, np.float32)
    shuffled = np.concatenate([junk, one[:, order]], axis=1)
    presence = np.concatenate([np.full((1, 4), 0.4, np.float32), there[:, order]], axis=1)
    off = np.abs(redraw(shuffled, presence).astype(int) - redraw(one, there))
    assert off.mean() < 0.01
    empty = redraw(one, np.zeros_like(there))
    assert np.abs(empty.astype(int) - redraw(one, there)).max() > 30
    assert redraw(one[:, :2], there[:, :2]).shape == (1, 128, 128, 3)


def test_wild_coordinates_still_make_a_picture() -> None:
    one = states(pack(sample(11, 0, 0, 1)))
    one[..., :3] *= 1000
    assert redraw(one, np.ones((1, 10), np.float32)).min() > 0
