"""One scene and one picture of the user's real CLEVR, looked at before anything is computed from them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path, PurePath
from typing import Any

import numpy as np
from PIL import Image

from setbench.tasks.clevr.files import clevr_json
from setbench.tasks.clevr.files.fit import fit_camera
from setbench.tasks.clevr.files.records import pack
from setbench.tasks.clevr.scenes import constants as c
from setbench.tasks.clevr.scenes.scenes import Array

PICTURE = (480, 320)
"""Width and height of CLEVR's pictures, to which ``pixel_coords`` and so all boxes belong."""

MODES = ("RGB", "RGBA", "P", "L", "LA")
"""Pillow's words for pictures of 8 bits a channel: those of 16 bits and of floats have no right conversion there."""

_OFF = 5.0  # pixels from where the camera sees an object to where the file says; 1,000 real scenes are below 0.5
_LARGEST = 1e6


def picture_name(scene: Any) -> str:
    """The name of a scene's picture, inside the folder of pictures.

    Raises:
        ValueError: the scene has none, or it leads to another folder.
    """
    name = scene.get("image_filename") if isinstance(scene, Mapping) else None
    if not isinstance(name, str):
        raise ValueError("it has no image_filename")
    if name in ("", ".", "..") or PurePath(name).name != name or "\\" in name or "\0" in name:
        raise ValueError(f"image_filename {name!r} is not the name of a file in the folder of pictures")
    return name


def record(scene: Any) -> Array:
    """RECORD[1] of one scene, its camera still at the base position. A scene may be without objects.

    Raises:
        ValueError: what is not CLEVR's, with the object's number.
    """
    objects = scene.get("objects") if isinstance(scene, Mapping) else None
    if not isinstance(objects, list):
        raise ValueError("it has no list of objects")
    for k, thing in enumerate(objects):
        if not isinstance(thing, Mapping):
            raise ValueError(f"object {k} is not an object but {thing!r:.40}")
        for name in ("3d_coords", "pixel_coords"):
            if not isinstance(thing.get(name), list) or len(thing[name]) != 3 or not all(map(_finite, thing[name])):
                raise ValueError(f"object {k}: {name} is {thing.get(name)!r:.40}, not three numbers")
        if not _finite(thing.get("rotation")):
            raise ValueError(f"object {k}: rotation is {thing.get('rotation')!r:.40}, not a number")
        for name in ("shape", "size", "color", "material"):
            if not isinstance(thing.get(name), str):
                raise ValueError(f"object {k}: {name} is {thing.get(name)!r:.40}, not a word")
    parsed = clevr_json.read({"scenes": [{"objects": objects}]})
    pixel = np.zeros((1, c.MAX_OBJECTS, 3))
    if objects:
        pixel[0, : len(objects)] = [thing["pixel_coords"] for thing in objects]
    return pack(parsed, pixel)


def camera(found: Any) -> Array:
    """The camera float64[3] of one record, fitted to the pixel coordinates; the base camera where there is no object.

    Raises:
        ValueError: no camera sees the objects there.
    """
    count = int(found["count"])
    if not count:
        return np.array(c.CAMERA)
    place, off = fit_camera(found["position"][:count], found["pixel"][:count])
    if not np.abs(off[:, :2]).max() <= _OFF:
        raise ValueError(f"pixel_coords are not where 3d_coords are seen in pictures of {PICTURE[0]}x{PICTURE[1]}")
    return place


def shrunk(path: Path, size: int) -> Array:
    """uint8[3, size, size] of a picture: Pillow's bilinear, aspect lost, as in the papers' code.

    Raises:
        ValueError: it has not CLEVR's size, or more than 8 bits a channel.
        Exception: whatever Pillow raises on a damaged file.
    """
    with Image.open(path) as image:
        if image.size != PICTURE:  # before a pixel is unpacked
            raise ValueError(f"it is {image.width}x{image.height}; CLEVR's pictures are {PICTURE[0]}x{PICTURE[1]}")
        if image.mode not in MODES:
            raise ValueError(f"its pixels are of Pillow's kind {image.mode!r}; CLEVR's have 8 bits a channel")
        small = image.convert("RGB").resize((size, size), Image.Resampling.BILINEAR)
    return np.asarray(small).transpose(2, 0, 1)


def _finite(value: Any) -> bool:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return number and math.isfinite(value) and abs(value) <= _LARGEST
