"""The cross product: which cells there are, and why some of them cannot run. Imports no torch."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from setbench.bench.plan.presets import Preset, Settings
from setbench.models.catalogue import Row, parse, rows
from setbench.tasks.catalogue import TASKS, TaskEntry

CONSTANT = "best constant"


@dataclass(frozen=True)
class Cell:
    """One thing to measure: a row on a task under a seed.

    ``encoder`` (or whole predictor) and ``decoder`` are row names as on the command line, or None. Where both are
    None the cell is the best constant answer. ``blocked`` is ("intractable" or "not_applicable", why) where it
    cannot run.
    """

    task: str
    encoder: str | None
    decoder: str | None
    seed: int
    preset: str
    device: str
    settings: Settings
    data_key: str
    split: str = "test"
    tuned: str = field(default="", compare=False)
    blocked: tuple[str, str] | None = field(default=None, compare=False)

    @property
    def constant(self) -> bool:
        return self.encoder is None and self.decoder is None

    @property
    def row(self) -> str:
        """The row's name in the leaderboard."""
        return row_name(self.encoder, self.decoder)

    @property
    def leading(self) -> Row | None:
        """The catalogue row that gives the cell its paradigm: the encoder's, else the decoder's."""
        name = self.encoder or self.decoder
        return parse(name, ("encoder", "predictor", "decoder")) if name else None

    @cached_property
    def identity(self) -> str:
        """Hash of everything that decides the numbers: settings, options, data, seed and device kind."""
        facts = asdict(self)
        for unrelated in ("tuned", "blocked", "preset"):
            del facts[unrelated]
        return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:16]

    def __str__(self) -> str:
        return f"{self.task} · {self.row} · seed {self.seed}"


def row_name(encoder: str | None, decoder: str | None) -> str:
    """What a row is called: ``fspool + dspn``, ``fspool``, ``lstm decoder`` or the best constant."""
    if encoder is None:
        return f"{decoder} decoder" if decoder else CONSTANT
    return f"{encoder} + {decoder}" if decoder else encoder


@dataclass(frozen=True)
class Request:
    """What the user asked for. ``encoders`` and ``decoders`` are rows by name, None for the preset's own."""

    tasks: Sequence[str]
    encoders: Sequence[str] | None
    decoders: Sequence[str] | None
    seeds: Sequence[int]
    preset: Preset
    device: str
    data: Path | None
    task_options: Mapping[str, Any] = field(default_factory=dict)

    def rows(self, task: str) -> tuple[list[Row], list[Row]]:
        """The encoders (whole predictors among them) and the decoders of a task.

        Raises:
            setbench.models.catalogue.UnknownName: a name that is no encoder or no decoder, with the nearest one.
        """
        return (
            _named(self.encoders, self.preset.rows("encoders", task), "encoder", "predictor"),
            _named(self.decoders, self.preset.rows("decoders", task), "decoder"),
        )


def _named(asked: Sequence[str] | None, preset: Sequence[str], *kinds: str) -> list[Row]:
    names = preset if asked is None else asked
    found = rows(*kinds) if "*" in names else [parse(name, kinds) for name in names]
    return list({row.name: row for row in found}.values())


def plan(request: Request) -> list[Cell]:
    """Every cell of the cross, blocked ones included, in the order task, row, seed."""
    return [cell for task in request.tasks for cell in _cells(request, TASKS[task])]


def _cells(request: Request, task: TaskEntry) -> list[Cell]:
    return [
        make_cell(request, task, encoder, decoder, seed)
        for encoder, decoder in combinations(request, task)
        for seed in (request.seeds if encoder or decoder else request.seeds[:1])
    ]


def combinations(request: Request, task: TaskEntry) -> list[tuple[Row | None, Row | None]]:
    """(encoder, decoder) of every row on a task, as DESIGN's table of the cross says; (None, None) is the floor."""
    readers, decoders = request.rows(task.name)
    encoders = [row for row in readers if row.entry.kind == "encoder"]
    whole = [row for row in readers if row.entry.kind == "predictor"]
    if task.output_kind != "set":
        pairs: list[tuple[Row | None, Row | None]] = [(encoder, None) for encoder in encoders]
    elif task.input_kind == "set":
        pairs = [(encoder, decoder) for decoder in decoders for encoder in encoders]
        pairs += [(row, None) for row in whole]
    else:
        pairs = [(None, decoder) for decoder in decoders if not decoder.entry.needs_encoder]
        pairs += [(encoder, row) for row in decoders if row.entry.needs_encoder for encoder in encoders]
    if request.encoders is not None and (task.input_kind, task.output_kind) != ("set", "set"):
        pairs += [(row, None) for row in whole]  # asked for by name: a row that says why not
    return [(None, None), *pairs]


def make_cell(request: Request, task: TaskEntry, encoder: Row | None, decoder: Row | None, seed: int) -> Cell:
    """One cell, with its settings resolved and, where it cannot run, the reason."""
    names = encoder.name if encoder else None, decoder.name if decoder else None
    settings, tuned = request.preset.settings(task.name, row_name(*names))
    options = {key: value for key, value in request.task_options.items() if key in task.options}
    options = {**settings.task_options, **options}
    settings = Settings(**{**settings.__dict__, "task_options": options})
    return Cell(
        task=task.name,
        encoder=names[0],
        decoder=names[1],
        seed=seed,
        preset=request.preset.name,
        device=request.device,
        settings=settings,
        data_key=task.data_key(options, request.data),
        tuned=tuned,
        blocked=_blocked(task, encoder, settings),
    )


def _blocked(task: TaskEntry, row: Row | None, settings: Settings) -> tuple[str, str] | None:
    if row is None:
        return None
    size = task.max_size(settings.task_options)
    if row.entry.kind == "predictor" and (task.input_kind, task.output_kind) != ("set", "set"):
        return "not_applicable", f"{row.entry.name} makes sets of sets; {task.name} is {task.group}"
    if row.entry.needs_positions and not task.has_positions:
        return "not_applicable", f"{row.entry.name} needs coordinates; the elements of {task.name} have none"
    if row.entry.terms is not None:
        count, words = row.entry.terms(size, row.options)
        if count > settings.max_terms:
            return (
                "intractable",
                f"{words} = {count:,} terms a set, over the {settings.max_terms:,} of this preset",
            )
    return None
