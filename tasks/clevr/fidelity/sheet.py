"""Real pictures and ours side by side, for the eye."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from setbench.tasks.clevr.scenes.scenes import Array

_PAIRS = 4  # in a row
_WIDTH, _HEIGHT, _GAP, _TITLE = 192, 128, 14, 18


def sheet(theirs: Array, ours: Array, names: Sequence[str]) -> Image.Image:
    """Pairs of pictures uint8[pictures, height, width, 3], the real one on the left."""
    rows = -(-len(names) // _PAIRS)
    wide, high = 2 * _WIDTH + _GAP, _HEIGHT + _TITLE + _GAP // 2
    page = Image.new("RGB", (_PAIRS * wide + _GAP, rows * high + _GAP), "white")
    draw, font = ImageDraw.Draw(page), ImageFont.load_default(12)
    for k, name in enumerate(names):
        left, top = _GAP + k % _PAIRS * wide, _GAP // 2 + k // _PAIRS * high
        draw.text((left, top), f"{name}: real", "black", font)
        draw.text((left + _WIDTH + 2, top), "ours", "black", font)
        for place, picture in enumerate((theirs[k], ours[k])):
            small = Image.fromarray(np.ascontiguousarray(picture)).resize((_WIDTH, _HEIGHT), Image.Resampling.LANCZOS)
            page.paste(small, (left + place * (_WIDTH + 2), top + _TITLE))
    return page
