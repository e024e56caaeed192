"""Everything that the page says, measured."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

import numpy as np

from setbench.tasks.clevr.fidelity.colours import Median
from setbench.tasks.clevr.fidelity.errors import Errors, bare, drawn, errors, pictures
from setbench.tasks.clevr.files import clevr_json
from setbench.tasks.clevr.files.fit import fit_camera
from setbench.tasks.clevr.files.identity import find_released
from setbench.tasks.clevr.files.released import scenes_of
from setbench.tasks.clevr.scenes.scenes import Array
from setbench.tasks.no_data import NoData

SIZES = ((128, 128), (480, 320))
OF_EACH = 10  # real pictures of the training and of the validation scenes


@dataclass(frozen=True)
class Row:
    """Errors of one set of pictures at one size."""

    what: str
    width: int
    height: int
    pictures: int
    errors: Errors


@dataclass(frozen=True)
class Pairs:
    """Real pictures at full size and ours of the same scenes."""

    theirs: Array
    ours: Array
    names: Sequence[str]


def real_pictures(data: Path) -> tuple[list[Row], Pairs]:
    """The first pictures of each released split, against ours and against the bare floor.

    The camera is fitted to each scene's pixel coordinates; the lights, whose jitter is not known, stand at their base.

    Raises:
        NoData: no released scenes under `data`.
    """
    folder = find_released(data)
    if folder is None:
        raise NoData(f"no CLEVR under {data}: it should hold images/ and scenes/ in the released layout")
    listed, paths = [], []
    for split in ("train", "val"):
        found = list(islice(scenes_of(folder / "scenes" / f"CLEVR_{split}_scenes.json"), OF_EACH))
        listed += found
        paths += [folder / "images" / split / scene["image_filename"] for scene in found]
    scenes = clevr_json.read({"scenes": listed})
    cameras = []
    for scene in listed:
        positions, pixels = (
            np.array([thing[key] for thing in scene["objects"]]) for key in ("3d_coords", "pixel_coords")
        )
        cameras.append(fit_camera(positions, pixels)[0])
    scenes = replace(scenes, camera=np.array(cameras, np.float32))
    rows: list[Row] = []
    for width, height in SIZES:
        theirs = pictures(paths, width, height)
        ours, ids = drawn(scenes, width, height)
        floor, _ = drawn(bare(scenes), width, height)
        rows += [
            Row("ours", width, height, len(paths), errors(ours, theirs, ids)),
            Row("background only", width, height, len(paths), errors(floor, theirs, ids)),
        ]
    return rows, Pairs(theirs, ours, [path.stem for path in paths])


def charts(reference: Path) -> list[Row]:
    """The reference renders, whose camera and lights are known: the empty floor, and a chart a material and shape."""
    content = json.loads((reference / "chart_scenes.json").read_text())
    scenes = clevr_json.read(content)
    named = [("empty.png", bare(scenes[:1]))]
    named += [(one["image_filename"], scenes[k : k + 1]) for k, one in enumerate(content["scenes"])]
    rows = []
    for name, scene in named:
        for width, height in SIZES:
            ours, ids = drawn(scene, width, height)
            theirs = pictures([reference / name], width, height)
            rows.append(Row(Path(name).stem.replace("_", " "), width, height, 1, errors(ours, theirs, ids)))
    return rows


def real_medians(reference: Path) -> dict[tuple[str, str], Median]:
    """Measured on 279 real pictures, by colour and material."""
    listed = json.loads((reference / "real_stats.json").read_text())["object_colours"]
    out = {}
    for name, values in listed.items():
        colour, material = name.split("/")
        red, green, blue = values[0]
        out[colour, material] = Median(colour, material, (red, green, blue), int(values[-1]))
    return out


def find_reference(data: Path) -> Path:
    """The folder with the reference renders and statistics.

    Raises:
        NoData: it is not under `data`.
    """
    for place in (data / "clevr" / "reference", data / "reference"):
        if (place / "real_stats.json").is_file():
            return place
    raise NoData(f"no clevr/reference under {data}: it should hold chart_scenes.json, real_stats.json and the charts")
