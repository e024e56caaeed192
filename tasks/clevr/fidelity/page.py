"""The measurements as a Markdown page."""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch

from setbench.tasks.clevr.fidelity.colours import Median
from setbench.tasks.clevr.fidelity.measure import Row
from setbench.tasks.clevr.fidelity.speed import Speed
from setbench.tasks.clevr.files.identity import RENDERER
from setbench.tasks.clevr.files.workers import processors

AIM_BACKGROUND, AIM_OBJECTS, AIM_COLOUR = 4, 20, 6


def page(
    rows: Sequence[Row],
    charts: Sequence[Row],
    ours: Sequence[Median],
    real: Mapping[tuple[str, str], Median],
    scenes: int,
    speeds: Sequence[Speed],
    command: str,
) -> str:
    """The whole page; the sheet of pictures lies beside it as ``sheet.png``."""
    parts = [
        "# Are the rendered scenes CLEVR?",
        "Pictures of this suite's renderer beside real pictures of CLEVR v1.0 (Johnson et al. 2017, CC BY 4.0).",
        f"Made by `{command}` on {machine()}. Renderer {RENDERER}.",
        "## Against real pictures",
        _against_real(rows),
        "![Real pictures and ours of the same scenes](sheet.png)",
        "## Colours",
        _colours(ours, real, scenes),
        "## Against renders with known lights",
        _charts(charts),
        "## Speed",
        _speed(speeds),
    ]
    return "\n\n".join(parts) + "\n"


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table, its first column to the left."""
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def machine() -> str:
    """``2 cores of Some CPU, torch 2.9.0``."""
    name = platform.processor() or platform.machine()
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        name = next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), name)
    except OSError:
        pass
    return f"{processors()} cores of {name}, torch {torch.__version__}"


def _errors(row: Row) -> list[str]:
    found = row.errors.objects, row.errors.background, row.errors.whole
    return ["" if np.isnan(value) else f"{value:.1f}" for value in found]


def _against_real(rows: Sequence[Row]) -> str:
    first = rows[0].errors
    told = (
        f"Mean absolute error, of 255, over {rows[0].pictures} real pictures, each shrunk by PIL's bilinear resize as "
        "the papers' code does (at 480x320 they are as released). The camera is fitted to each scene's pixel "
        "coordinates. The lights' jitter is not in the files: ours stand at their base positions, so part of the error "
        "is theirs (Cycles itself, in the same position, is at 3 to 5 over the whole picture). The pixels of objects "
        "are those that our renderer gives to one. *Background only* is our bare floor: what a renderer without "
        "objects would score."
    )
    aims = (
        f"Aims: background under {AIM_BACKGROUND} ({_met(first.background < AIM_BACKGROUND)}), objects under "
        f"{AIM_OBJECTS} ({_met(first.objects < AIM_OBJECTS)}), at 128x128."
    )
    lines = [[row.what, f"{row.width}x{row.height}", *_errors(row)] for row in rows]
    return "\n\n".join([told, table(["pictures", "size", "objects", "background", "whole"], lines), aims])


def _met(yes: bool) -> str:
    return "met" if yes else "missed"


def _colours(ours: Sequence[Median], real: Mapping[tuple[str, str], Median], scenes: int) -> str:
    lines, worst = [], 0.0
    for one in ours:
        other = real[one.colour, one.material]
        off = np.array(one.rgb) - other.rgb
        worst = max(worst, float(np.abs(off).max()))
        shown = [" ".join(f"{value:.0f}" for value in rgb) for rgb in (one.rgb, other.rgb)]
        difference = " ".join(f"{value:+.1f}" for value in off)
        lines.append([f"{one.colour} {one.material}", *shown, difference, str(one.objects), str(other.objects)])
    told = (
        f"The median colour of an object's pixels, mean over the objects of a colour and material: {scenes} sampled "
        "scenes at 128x128, lights and cameras jittered, beside 279 real pictures. A colour varies by 5 to 14 from "
        "object to object."
    )
    head = ["objects", "ours (RGB)", "real (RGB)", "difference", "our objects", "real objects"]
    word = f"The worst channel is off by {worst:.1f}. Aim: within {AIM_COLOUR} ({_met(worst <= AIM_COLOUR)})."
    return "\n\n".join([told, table(head, lines), word])


def _charts(rows: Sequence[Row]) -> str:
    told = (
        "Renders of the official scene, shapes and materials by Blender's Cycles with known camera and lights: here "
        "the whole error is our renderer's. It was calibrated on these."
    )
    lines = [[row.what, f"{row.width}x{row.height}", *_errors(row)] for row in rows]
    return "\n\n".join([told, table(["picture", "size", "objects", "background", "whole"], lines)])


def _speed(speeds: Sequence[Speed]) -> str:
    told = (
        "Scenes sampled and drawn at 128x128, one thread a process, the start of the processes not counted. The rule "
        "that every object shows at least 200 pixels of 480x320 rejects whole scenes: testing it is part of sampling."
    )
    lines = []
    for one in speeds:
        what = "with the visibility test" if one.visibility else "without it"
        numbers = [f"{one.wall:.0f}", "" if one.cpu is None else f"{one.cpu:.0f}"]
        lines.append([what, str(one.processes), str(one.pictures), *numbers])
    head = ["pictures", "processes", "drawn", "a second, by the clock", "a second of processor time"]
    busy = any(one.disturbed for one in speeds)
    word = "The machine was busy with other work: what the clock says is too low." if busy else ""
    return "\n\n".join(filter(None, [told, table(head, lines), word]))
