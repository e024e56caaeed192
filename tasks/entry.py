"""What the catalogue knows of a task, and a task under options. Imports no torch."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from setbench.options import Option, Value, check, joined, nearest
from setbench.specs import ImageSpec, InputSpec, LabelSpec, NumberSpec, OutputSpec, SetSpec, VectorSpec

if TYPE_CHECKING:
    from setbench.tasks.interfaces import Task

Options = Mapping[str, Value]
Key = Callable[[Options, Path | None, Path | None], str]
Missing = Callable[[Options, Path | None], str | None]

PICTURES = ("", "points", "corners", "boxes")
_INPUTS: dict[type, Literal["vector", "image", "set"]] = {VectorSpec: "vector", ImageSpec: "image", SetSpec: "set"}
_OUTPUTS: dict[type, Literal["set", "label", "number"]] = {SetSpec: "set", LabelSpec: "label", NumberSpec: "number"}


@dataclass(frozen=True)
class TaskEntry:
    """Everything that is declared of a task, once; its class, at ``target`` ("module:Class"), adds data and metrics.

    ``asks`` says in a sentence what is to be learned, ``good`` which value of the metric ``headline`` is a good one.
    ``input`` and ``output`` are specs, or functions of the options that give one (of the same kind for all options).
    ``key`` names the data: two runs have the same key exactly when they draw on the same examples. It is a text, or a
    function of the options, the user's folder and the cache (where what is slow to find may be kept). ``missing`` says
    in a line why the data surely cannot be had (None where they are there or may be fetched). ``picture`` says how a
    set that goes out is drawn: "points" (row and column in the unit square), "corners" (of one polygon around the
    origin), "boxes" (on the picture that went in), or ``module:function``, which makes pictures
    uint8[sets, height, width, 3] of elements [sets, slots, features] and presence [sets, slots]; "" is not at all.
    ``family``: tasks of one family count as one where ranks are averaged over tasks; "" is a family of its own.

    Raises at construction:
        ValueError: something that no task has, in one line.
    """

    name: str
    target: str
    asks: str
    good: str
    headline: str
    input: InputSpec | Callable[[Options], InputSpec]
    output: OutputSpec | Callable[[Options], OutputSpec]
    key: str | Key
    options: Mapping[str, Option] = field(default_factory=dict)
    missing: Missing = lambda options, data: None
    picture: str = ""
    family: str = ""

    def __post_init__(self) -> None:
        if not self.name or not all(letter.isalnum() or letter in "_-" for letter in self.name):
            raise ValueError(f"a task's name has letters, digits, _ and - alone, not {self.name!r}")
        if not all(part.strip() for part in self.target.partition(":")):
            raise self._wrong(f"target is 'module:Class', not {self.target!r}")
        for part in ("asks", "good", "headline"):
            if not getattr(self, part).strip():
                raise self._wrong(f"{part} says nothing")
        for name, option in self.options.items():
            if not isinstance(option, Option):
                raise self._wrong(f"option {name!r} is an Option, not {option!r}")
        for side, kinds in (("input", _INPUTS), ("output", _OUTPUTS)):
            spec = self._spec(getattr(self, side), {})
            if type(spec) not in kinds:
                raise self._wrong(f"{side} is {_either(kinds)}, or a function of the options, not {spec!r}")
        if "set" not in (self.input_kind, self.output_kind):
            raise self._wrong("neither input nor output is a SetSpec")
        if not isinstance(self.key, str) and not callable(self.key):
            raise self._wrong(f"key is a text or a function, not {self.key!r}")
        if self.picture not in PICTURES and ":" not in self.picture:
            raise self._wrong(f"no picture is called {self.picture!r}; {nearest(self.picture, PICTURES[1:])}")

    def _wrong(self, why: str) -> ValueError:
        return ValueError(f"task {self.name}: {why}")

    def _spec(self, spec: Any, options: Mapping[str, Value | str]) -> Any:
        return spec(self.check(options)) if callable(spec) else spec

    def check(self, options: Mapping[str, Value | str]) -> dict[str, Value]:
        """All options, the given ones checked.

        Raises:
            UnknownName: an option or a value that there is not.
        """
        return check(self.name, self.options, options)

    def under(self, options: Mapping[str, Value | str]) -> TaskSpec:
        """The task under these options, the others at their defaults."""
        return TaskSpec(self, self.check(options))

    def input_spec(self, options: Mapping[str, Value | str]) -> InputSpec:
        """What goes in, under these options."""
        return self._spec(self.input, options)

    def output_spec(self, options: Mapping[str, Value | str]) -> OutputSpec:
        """What comes out, under these options."""
        return self._spec(self.output, options)

    @property
    def input_kind(self) -> Literal["vector", "image", "set"]:
        return _INPUTS[type(self.input_spec({}))]

    @property
    def output_kind(self) -> Literal["set", "label", "number"]:
        return _OUTPUTS[type(self.output_spec({}))]

    @property
    def group(self) -> str:
        """The kind of task, in words: ``set in, label out``."""
        into = "set" if self.input_kind == "set" else "image or vector"
        return f"{into} in, {self.output_kind} out"

    @property
    def has_positions(self) -> bool:
        """Whether elements have coordinates, as k-nearest-neighbour graphs need."""
        return self._sets({}).positions is not None

    def max_size(self, options: Mapping[str, Value | str]) -> int:
        """The most elements that a set of this task can have."""
        return self._sets(options).max_size

    def _sets(self, options: Mapping[str, Value | str]) -> SetSpec:
        """The sets that an encoder meets: those that come out, else those that go in."""
        output, given = self.output_spec(options), self.input_spec(options)
        sets = output if isinstance(output, SetSpec) else given
        assert isinstance(sets, SetSpec)
        return sets

    def data_key(self, options: Mapping[str, Value | str], data: Path | None = None, cache: Path | None = None) -> str:
        """A short name for the data: two runs have the same key exactly when they draw on the same examples."""
        return self.key if isinstance(self.key, str) else self.key(self.check(options), data, cache)

    def unavailable(self, options: Mapping[str, Value | str], data: Path | None) -> str | None:
        """One line where it is certain, without trying a download, that the data cannot be had."""
        return self.missing(self.check(options), data)

    @property
    def module(self) -> str:
        """The import path of the module that holds the class."""
        return self.target.partition(":")[0]

    def load(self) -> type[Task]:
        """Import the class. Only here does torch come in."""
        loaded: type[Task] = getattr(import_module(self.module), self.target.partition(":")[2])
        return loaded

    def make(
        self,
        options: Mapping[str, Value | str],
        sizes: Mapping[str, int],
        cache: Path,
        data: Path | None = None,
    ) -> Task:
        """The task itself; cheap, no data are touched.

        Args:
            options: the others are at their defaults.
            sizes, cache, data: as :class:`setbench.tasks.interfaces.Task` has them.
        """
        return self.load()(self, self.check(options), sizes, Path(cache), None if data is None else Path(data))


@dataclass(frozen=True)
class TaskSpec:
    """A task under options, as ``set_mnist:points=64`` names it. ``options`` holds all of them, checked."""

    entry: TaskEntry
    options: Options

    @property
    def name(self) -> str:
        """The canonical text, which is read as the same task: options at their defaults are left out."""
        return joined(self.entry.name, self.entry.options, self.options)

    @property
    def input(self) -> InputSpec:
        return self.entry.input_spec(self.options)

    @property
    def output(self) -> OutputSpec:
        return self.entry.output_spec(self.options)

    @property
    def max_size(self) -> int:
        """The most elements that a set of this task can have."""
        return self.entry.max_size(self.options)

    def data_key(self, data: Path | None = None, cache: Path | None = None) -> str:
        """As :meth:`TaskEntry.data_key`."""
        return self.entry.data_key(self.options, data, cache)

    def unavailable(self, data: Path | None) -> str | None:
        """As :meth:`TaskEntry.unavailable`."""
        return self.entry.unavailable(self.options, data)

    def make(self, sizes: Mapping[str, int], cache: Path, data: Path | None = None) -> Task:
        """As :meth:`TaskEntry.make`."""
        return self.entry.make(self.options, sizes, cache, data)


def _either(kinds: Mapping[type, str]) -> str:
    *first, last = (kind.__name__ for kind in kinds)
    return f"{', '.join(first)} or {last}"
