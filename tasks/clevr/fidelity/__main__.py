"""Measure how much our pictures are like CLEVR's, and write a page about it (a minute or two)."""

from __future__ import annotations

import argparse
import json
import math
import shlex
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from setbench.tasks.clevr.fidelity.colours import medians
from setbench.tasks.clevr.fidelity.measure import charts, find_reference, real_medians, real_pictures
from setbench.tasks.clevr.fidelity.page import machine, page
from setbench.tasks.clevr.fidelity.sheet import sheet
from setbench.tasks.clevr.fidelity.speed import speed
from setbench.tasks.clevr.files.identity import RENDERER
from setbench.tasks.clevr.files.workers import processors
from setbench.tasks.no_data import NoData


def main(words: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m setbench.tasks.clevr.fidelity", description=__doc__)
    add = parser.add_argument
    add("--data", type=Path, required=True, metavar="DIR", help="holds clevr/CLEVR_mini and clevr/reference")
    add("--out", type=Path, default=Path("results/clevr_fidelity"), metavar="DIR", help="default: %(default)s")
    add("--scenes", type=int, default=500, help="sampled for the medians of colours; default: %(default)s")
    add("--shards", type=int, default=8, help="of 64 scenes each, for the speed; default: %(default)s")
    add("--processes", type=int, default=processors(), help="for the speed; default: all processors")
    given = parser.parse_args(words)
    if min(given.scenes, given.shards, given.processes) < 1:
        parser.error("--scenes, --shards and --processes are whole numbers above 0")
    # the folder's name is the user's own affair
    typed = ["DIR" if word == str(given.data) else word for word in (sys.argv[1:] if words is None else words)]
    shown = shlex.join(["python", "-m", "setbench.tasks.clevr.fidelity", *typed])
    torch.set_num_threads(1)
    try:
        reference = find_reference(given.data)
        rows, pairs = real_pictures(given.data)
    except NoData as error:
        print(f"{parser.prog}: {error}", file=sys.stderr)
        return 1
    counts = sorted({1, given.processes})
    speeds = [speed(given.shards * count, count, visibility) for count in counts for visibility in (True, False)]
    known, ours, real = charts(reference), medians(given.scenes, seed=1), real_medians(reference)
    given.out.mkdir(parents=True, exist_ok=True)
    (given.out / "README.md").write_text(page(rows, known, ours, real, given.scenes, speeds, shown), encoding="utf-8")
    sheet(pairs.theirs, pairs.ours, pairs.names).save(given.out / "sheet.png", optimize=True)
    facts: dict[str, Any] = {"command": shown, "machine": machine(), "renderer": RENDERER}
    measured: dict[str, Sequence[Any]] = {"real": rows, "charts": known, "medians": ours, "speed": speeds}
    facts |= {name: [asdict(one) for one in listed] for name, listed in measured.items()}
    (given.out / "numbers.json").write_text(json.dumps(_plain(facts), indent=1) + "\n", encoding="utf-8")
    print(f"{given.out / 'README.md'}, sheet.png and numbers.json are written")
    return 0


def _plain(value: Any) -> Any:
    """NaN, which JSON does not have, as null."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return None if isinstance(value, float) and math.isnan(value) else value


if __name__ == "__main__":
    sys.exit(main())
