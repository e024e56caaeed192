"""Presets: every number of a run, read from ``bench/settings/*.toml``. Imports no torch."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

SETTINGS = Path(__file__).parents[1] / "settings"
PRESETS = ("smoke", "quick", "sweep", "standard", "paper", "paper_code")


@dataclass(frozen=True)
class Settings:
    """The resolved numbers of one cell. All of them enter its identity.

    ``steps`` optimiser steps of Adam at ``learning_rate`` over batches of ``batch`` examples; ``schedule`` is
    "constant" or "cosine" (to zero); ``clip`` bounds the gradient's norm (0: no clipping). ``latent`` is the size
    of every code, ``width`` the hidden width of every network. ``sizes`` are examples a split, 0 for all there are.
    ``max_terms`` is the largest sum that an exact method may ask for. ``timing_repeats`` and
    ``invariance_sets`` say how much is measured.
    """

    steps: int
    batch: int
    learning_rate: float
    schedule: str
    clip: float
    latent: int
    width: int
    head: str
    image_encoder: str
    sizes: Mapping[str, int]
    max_terms: int
    timing_repeats: int
    invariance_sets: int
    task_options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Preset:
    """A named set of settings, and which rows it runs when the user names none."""

    name: str
    about: str
    tables: Mapping[str, Any]

    def rows(self, kind: str, task: str) -> list[str]:
        """Names of the "encoders" or "decoders" that run on a task; "*" stands for the whole catalogue."""
        own = self.tables["task"].get(task, {}).get("rows", {})
        return list({**self.tables["rows"], **own}[kind])

    def settings(self, task: str, row: str) -> tuple[Settings, str]:
        """The settings of one row on one task, and a sentence on how they were tuned ("" where they were not)."""
        values = {**self.tables["all"], **self.tables["task"].get(task, {})}
        values.pop("rows", None)
        choice = dict(_tuned(self.name).get(task, {}).get(row, {}))
        how = choice.pop("how", "")
        return Settings(**{**values, **choice}), how


def load(name: str) -> Preset:
    """Read a preset from its file."""
    tables = tomllib.loads((SETTINGS / f"{name}.toml").read_text(encoding="utf-8"))
    return Preset(name, tables["about"], {"task": {}, **tables})


def tuned_file(preset: str) -> Path:
    """Where ``--tune`` leaves its choices, with the command and the date."""
    return SETTINGS / "tuned" / f"{preset}.toml"


def _tuned(preset: str) -> dict[str, Any]:
    path = tuned_file(preset)
    return tomllib.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
