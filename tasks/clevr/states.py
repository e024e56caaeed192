"""Object states as the 18 numbers that the set-prediction papers use."""

import numpy as np

from setbench.tasks.clevr.scenes import constants as c
from setbench.tasks.clevr.scenes.scenes import Array

FEATURES = 18
SCALE = 3.0  # coordinates are divided by it, and the metric multiplies by it again


def states(records: Array) -> Array:
    """float32[scenes, 10, 18] from RECORD[scenes]; padding is zero, objects keep their order.

    Layout (DSPN's loader): x, y, z / 3 | rubber, metal | cyan, blue, yellow, purple, red, green, gray, brown |
    sphere, cube, cylinder | large, small.
    """
    parts = [np.asarray(records["position"], np.float32) / SCALE]
    for field, names in (("material", c.MATERIALS), ("colour", c.COLOURS), ("shape", c.SHAPES), ("size", c.SIZES)):
        parts.append(np.eye(len(names), dtype=np.float32)[records[field]])
    return np.concatenate(parts, axis=-1) * present(records)[..., None]


def present(records: Array) -> Array:
    """bool[scenes, 10]: which objects are real."""
    return np.arange(c.MAX_OBJECTS) < records["count"][:, None]
