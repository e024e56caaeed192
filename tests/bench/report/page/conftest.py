"""Pages to look at: of a fleet of records with learning curves and predictions, or of any others."""

from __future__ import annotations

import base64
import gzip
import json
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from setbench.bench.records.predictions import Examples, Predictions, save
from setbench.bench.records.record import Curve, Record
from setbench.bench.report.page.render import page
from setbench.bench.report.standing import alike
from setbench.bench.report.tables import tables

CORNERS = np.array([[[1, 0], [0, 1], [-1, 0], [0, -1]]] * 6, np.float32)
KEPT = ("fspool + dspn", "mlp decoder")
"""Rows of rotated_square whose predictions are kept: corners off by 0.25 a pass before the last, then right."""


def keep(folder: Path, identity: str, passes: int) -> None:
    elements = np.stack([CORNERS + 0.25 * (passes - 1 - k) for k in range(passes)])
    kept = Predictions(elements.astype("f2"), np.ones((passes, 6, 4), "f2"))
    save(folder, identity, Examples(None, CORNERS, np.ones((6, 4), bool)), kept)


def with_curve(record: Record) -> Record:
    if record.measured is None or record.measured.score is None or record.constant:
        return record
    score, seconds = record.measured.score, record.measured.time.train if record.measured.time else 1.0
    curve = Curve(
        validation_step=[10, 100, 2000],
        validation_seconds=[seconds / 200, seconds / 20, seconds],
        validation_score=[score / 4, score / 2, score],
    )
    return record.model_copy(update={"measured": record.measured.model_copy(update={"curve": curve})})


@pytest.fixture
def whole(fleet: list[Record], tmp_path: Path) -> list[Record]:
    """The fleet with learning curves; two of its rows kept predictions under ``tmp_path``."""
    for record in fleet:
        if record.task == "rotated_square" and record.row in KEPT and record.seed == 0:
            keep(tmp_path, record.id, 3 if "dspn" in record.row else 1)
    return [with_curve(record) for record in fleet]


@pytest.fixture
def build(tmp_path: Path) -> Callable[[Sequence[Record]], str]:
    """Records to the page's text; what cells kept is looked for under ``tmp_path``."""

    def built(records: Sequence[Record]) -> str:
        found = tables(records, tmp_path)
        return page(records, [], found, alike(found), tmp_path)

    return built


def packed(text: str, name: str) -> Any:
    """What lies in a page under a name."""
    (found,) = re.findall(rf'<script type="application/gzip" id="{name}">(.*?)</script>', text, re.DOTALL)
    return json.loads(gzip.decompress(base64.b64decode(found)))


@pytest.fixture
def unpack() -> Callable[[str, str], Any]:
    return packed
