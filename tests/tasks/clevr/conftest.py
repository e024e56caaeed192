"""Real CLEVR files, and scenes with one object."""

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from setbench.tasks.clevr.scenes import constants as c
from setbench.tasks.clevr.scenes.scenes import Scenes


@pytest.fixture(scope="session")
def clevr() -> Path:
    """The folder with the real scenes."""
    folder = os.environ.get("SETBENCH_DATA")
    if not folder or not (Path(folder) / "clevr").is_dir():
        pytest.skip("needs real CLEVR files: give the folder that holds clevr/ in SETBENCH_DATA")
    return Path(folder) / "clevr"


@pytest.fixture
def small_shards(monkeypatch: pytest.MonkeyPatch) -> None:
    """A few scenes are drawn where one is asked for, and not 64."""
    for module in ("shards", "rendered", "released"):
        monkeypatch.setattr(f"setbench.tasks.clevr.files.{module}.SHARD", 8)


def scene(*objects: dict[str, Any], camera: Any = c.CAMERA, lights: Any = c.LIGHTS) -> Scenes:
    """One scene; an object says its `at` (x, y), and what is not a large gray rubber sphere of angle 0."""
    arrays: dict[str, Any] = {
        "position": np.zeros((1, c.MAX_OBJECTS, 3), np.float32),
        "rotation": np.zeros((1, c.MAX_OBJECTS), np.float32),
    }
    words = {"shape": c.SHAPES, "size": c.SIZES, "colour": c.COLOURS, "material": c.MATERIALS}
    usual = {"shape": "sphere", "size": "large", "colour": "gray", "material": "rubber"}
    for name in words:
        arrays[name] = np.zeros((1, c.MAX_OBJECTS), np.int8)
    for k, thing in enumerate(objects):
        for name, known in words.items():
            arrays[name][0, k] = known.index(thing.get(name, usual[name]))
        arrays["rotation"][0, k] = thing.get("angle", 0.0)
        arrays["position"][0, k] = (*thing["at"], c.RADIUS[arrays["size"][0, k]])
    return Scenes(
        count=np.array([len(objects)], np.int8),
        camera=np.array([camera], np.float32),
        lights=np.array([lights], np.float32),
        **arrays,
    )


@pytest.fixture(name="scene")
def _scene() -> Any:
    return scene
