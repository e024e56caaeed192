"""The cross product: which cells there are, and why some of them cannot run. Imports no torch."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from pathlib import Path

from setbench.bench.plan.presets import Preset, Settings
from setbench.bench.plan.rows import row_name
from setbench.bench.records.record import Precision, Status
from setbench.files import error_line
from setbench.models.catalogue import ModelSpec, model_specs, parse
from setbench.models.entry import FROZEN
from setbench.options import Value, check, split
from setbench.tasks.catalogue import find
from setbench.tasks.entry import TaskEntry

Options = Mapping[str, Mapping[str, Value]]


@dataclass(frozen=True)
class Cell:
    """One thing to measure: a row on a task under a seed.

    ``encoder`` (or whole predictor) and ``decoder`` are row names as on the command line, or None. Where both are
    None the cell is the best constant answer. ``options`` are those of "encoder" and "decoder", resolved: a default
    that changes makes another cell. ``blocked`` is (status, why) where it cannot run.
    """

    task: str
    encoder: str | None
    decoder: str | None
    seed: int
    preset: str
    device: str
    threads: int
    settings: Settings
    data_key: str
    options: Options = field(default_factory=dict)
    split: str = "test"
    precision: Precision = "float32"
    tuned: str = field(default="", compare=False)
    blocked: tuple[Status, str] | None = field(default=None, compare=False)

    @property
    def constant(self) -> bool:
        return self.encoder is None and self.decoder is None

    @property
    def row(self) -> str:
        """The row's name in the leaderboard."""
        return row_name(self.encoder, self.decoder)

    @property
    def model(self) -> ModelSpec | None:
        """The catalogue's model that gives the cell its paradigm: the encoder's, else the decoder's."""
        name = self.encoder or self.decoder
        return parse(name, ("encoder", "predictor", "decoder")) if name else None

    @cached_property
    def identity(self) -> str:
        """Hash of everything that decides the numbers: settings, options, data, seed, threads, device kind and
        precision, which is left out where it is float32: so cells have the identity that they had before they had any.
        """
        facts = asdict(self)
        for unrelated in ("tuned", "blocked", "preset"):
            del facts[unrelated]
        if self.precision == "float32":
            del facts["precision"]
        return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:16]

    @property
    def data_name(self) -> str:
        """Names the prepared data: task, data, sizes and how pictures are encoded."""
        sizes = "-".join(str(size) for size in self.settings.sizes.values())
        return f"{self.task}-{self.data_key}-{sizes}-{self.settings.image_encoder}"

    def __str__(self) -> str:
        return f"{self.task} · {self.row} · seed {self.seed}"


@dataclass(frozen=True)
class Request:
    """What the user asked for: tasks, each with the options that were asked of it; ``encoders`` and ``decoders`` by
    name, None for the preset's own."""

    tasks: Sequence[tuple[TaskEntry, Mapping[str, Value | str]]]
    encoders: Sequence[str] | None
    decoders: Sequence[str] | None
    seeds: Sequence[int]
    preset: Preset
    device: str
    data: Path | None
    cache: Path | None = None
    threads: int = 1
    precision: Precision = "float32"

    def models(self, task: str) -> tuple[list[ModelSpec], list[ModelSpec], list[tuple[ModelSpec, list[ModelSpec]]]]:
        """The encoders of a task, its whole predictors, and its decoders, each with the encoders that it stands with:
        the one that is named before it (``fspool + mlp``), unless others are asked for by name; else all.

        Raises:
            UnknownName: a name that is no encoder or no decoder, with the nearest one.
        """
        names = self.preset.rows("encoders", task) if self.encoders is None else self.encoders
        encoding = _named(names, "encoder", "predictor")
        encoders = [spec for spec in encoding if spec.entry.kind == "encoder"]
        predictors = [spec for spec in encoding if spec.entry.kind == "predictor"]
        found: dict[str, tuple[ModelSpec, list[ModelSpec]]] = {}
        for text in self.preset.rows("decoders", task) if self.decoders is None else self.decoders:
            own, _, name = text.rpartition(" + ")
            beside = [parse(own.strip(), ("encoder",))] if own and self.encoders is None else encoders
            for spec in _named([name.strip()], "decoder"):
                earlier = found.get(spec.name, (spec, []))[1]
                found[spec.name] = spec, list({one.name: one for one in (*earlier, *beside)}.values())
        return encoders, predictors, list(found.values())


def asked_tasks(texts: Sequence[str]) -> list[tuple[TaskEntry, Mapping[str, Value | str]]]:
    """Tasks as on the command line, ``set_mnist:points=64``: each with the options that were asked of it.

    Raises:
        UnknownName: a task that there is not, with the nearest one.
    """
    return [(find(name), given) for name, given in map(split, texts)]


def _named(names: Sequence[str], *kinds: str) -> list[ModelSpec]:
    found = model_specs(*kinds) if "*" in names else [parse(name, kinds) for name in names]
    return list({spec.name: spec for spec in found}.values())


def plan(request: Request) -> list[Cell]:
    """Every cell of the cross, blocked ones included, in the order task, row, seed."""
    cells = [cell for task, asked in request.tasks for cell in _cells(request, task, asked)]
    return list({cell.identity: cell for cell in cells}.values())


def _cells(request: Request, task: TaskEntry, asked: Mapping[str, Value | str]) -> list[Cell]:
    return [
        make_cell(request, task, asked, encoder, decoder, seed)
        for encoder, decoder in combinations(request, task)
        for seed in (request.seeds if encoder or decoder else request.seeds[:1])
    ]


def combinations(request: Request, task: TaskEntry) -> list[tuple[ModelSpec | None, ModelSpec | None]]:
    """(encoder, decoder) of every row on a task; (None, None) is the best constant answer.

    Labels and numbers: every encoder, with the one head. Sets from sets: encoders times decoders, and whole models; a
    decoder that sees a feature map is one row, with no encoder, that says why it cannot run.
    Sets from vectors and pictures: plain decoders, each one row; in decoders that need an encoder, every encoder.
    """
    encoders, predictors, decoders = request.models(task.name)
    if task.output_kind != "set":
        pairs: list[tuple[ModelSpec | None, ModelSpec | None]] = [(encoder, None) for encoder in encoders]
    elif task.input_kind == "set":
        pairs = [(encoder, spec) for spec, beside in decoders if spec.entry.sees == "code" for encoder in beside]
        pairs += [(None, spec) for spec, _ in decoders if spec.entry.sees != "code"]
        pairs += [(spec, None) for spec in predictors]
    else:
        pairs = [(None, spec) for spec, _ in decoders if not spec.entry.needs_encoder]
        pairs += [(encoder, spec) for spec, beside in decoders if spec.entry.needs_encoder for encoder in beside]
    if request.encoders is not None and (task.input_kind, task.output_kind) != ("set", "set"):
        pairs += [(spec, None) for spec in predictors]  # asked for by name: a row that says why not
    return [(None, None), *pairs]


def make_cell(
    request: Request,
    task: TaskEntry,
    asked: Mapping[str, Value | str],
    encoder: ModelSpec | None,
    decoder: ModelSpec | None,
    seed: int,
) -> Cell:
    """One cell, with its settings and options resolved and, where it cannot run, the reason."""
    names = encoder.name if encoder else None, decoder.name if decoder else None
    settings, tuned = request.preset.settings(task.name, row_name(*names))
    settings = replace(settings, task_options=check(task.name, task.options, {**settings.task_options, **asked}))
    specs = {"encoder": encoder, "decoder": decoder}
    return Cell(
        task=task.name,
        encoder=names[0],
        decoder=names[1],
        seed=seed,
        preset=request.preset.name,
        device=request.device,
        threads=request.threads,
        precision=request.precision,
        settings=settings,
        data_key=_data_key(request, task, settings),
        options={kind: dict(spec.options) for kind, spec in specs.items() if spec},
        tuned=tuned,
        blocked=_no_map(task, decoder, settings) or _blocked(task, encoder, settings),
    )


def _data_key(request: Request, task: TaskEntry, settings: Settings) -> str:
    """The task's name for its data.

    Raises:
        ValueError: the task is a plugin's, and asking it raises something, or gives no text; in one line.
    """
    try:
        key = task.data_key(settings.task_options, request.data, request.cache)
    except (Exception, SystemExit) as error:
        raise ValueError(f"task {task.name}: its key raised {error_line(error)}") from error
    if not isinstance(key, str):
        raise ValueError(f"task {task.name}: its key is no text but {key!r:.60}")
    return key


def _no_map(task: TaskEntry, decoder: ModelSpec | None, settings: Settings) -> tuple[Status, str] | None:
    """Why a decoder that sees a feature map has none to see."""
    if decoder is None or decoder.entry.sees == "code":
        return None
    if task.input_kind != "image":
        kind = {"set": "a set", "vector": "a vector"}[task.input_kind]
        why = f"{decoder.entry.name} sees a picture's feature map; what comes into {task.name} is {kind}"
    elif settings.image_encoder in FROZEN:
        why = f"{decoder.entry.name} sees a picture's feature map; frozen features are one vector a picture"
    else:
        return None
    return Status.NOT_APPLICABLE, why


def _blocked(task: TaskEntry, spec: ModelSpec | None, settings: Settings) -> tuple[Status, str] | None:
    if spec is None:
        return None
    size = task.max_size(settings.task_options)
    entry = spec.entry
    if entry.kind == "predictor" and (task.input_kind, task.output_kind) != ("set", "set"):
        return Status.NOT_APPLICABLE, f"{entry.name} makes sets of sets; {task.name} is {task.group}"
    if entry.needs_positions and not task.has_positions:
        return Status.NOT_APPLICABLE, f"{entry.name} needs coordinates; the elements of {task.name} have none"
    for why in (
        entry.cannot_place(spec.options) if entry.cannot_place and task.output_kind == "set" else None,
        entry.redundant(size, spec.options) if entry.redundant else None,
    ):
        if why is not None:
            return Status.NOT_APPLICABLE, why
    if entry.terms is not None:
        count, words = entry.terms(size, spec.options)
        if count > settings.max_terms:
            limit = f"over the {settings.max_terms:,} of this preset"
            return Status.INTRACTABLE, f"{words} = {count:,} terms a set, {limit}"
    return None
