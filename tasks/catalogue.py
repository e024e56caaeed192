"""The list of all tasks. Imports no torch, so that ``--list`` and ``--dry-run`` answer at once.

Adding a task is one file and one entry here. The order here is the order in every report.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

from setbench.tasks.data_keys import digits_key, mnist_key, real_clevr_key, real_clevr_missing, rendered_clevr_key

Options = Mapping[str, Any]


@dataclass(frozen=True)
class TaskOption:
    """An option of a task: its default, what it does, and which values it may take (empty: any of that type)."""

    default: str | int | float | bool
    meaning: str
    choices: tuple[str, ...] = ()


@dataclass(frozen=True)
class TaskEntry:
    """What the catalogue knows of one task.

    ``asks`` says in a sentence what is to be learned, ``good`` which value of the headline metric is a good one.
    ``input_kind`` and ``output_kind`` are "set", "vector", "image" and "set", "label", "number". ``size`` gives the
    largest set that an encoder meets, from the options; ``key`` names the data, from the options and the user's
    folder; ``missing`` says why the data surely cannot be had (None where they are there or may be fetched).
    ``has_positions`` is whether elements have coordinates, as k-nearest-neighbour graphs need. ``picture`` says how a
    set that goes out is drawn: "points" (row and column in the unit square), "corners" (of one polygon around the
    origin), "boxes" (on the picture that went in), or ``module:function``, which makes pictures
    uint8[sets, height, width, 3] of elements [sets, slots, features] and presence [sets, slots]; "" is not at all.
    """

    name: str
    target: str
    group: str
    asks: str
    good: str
    headline: str
    input_kind: Literal["set", "vector", "image"]
    output_kind: Literal["set", "label", "number"]
    size: Callable[[Options], int]
    key: Callable[[Options, Path | None], str]
    has_positions: bool
    options: Mapping[str, TaskOption] = field(default_factory=dict)
    missing: Callable[[Options, Path | None], str | None] = lambda options, data: None
    picture: str = ""

    def load(self) -> Any:
        """Import the class. Only here does torch come in."""
        module, _, attribute = self.target.partition(":")
        return getattr(import_module(module), attribute)

    def max_size(self, options: Options) -> int:
        """The most elements that a set of this task can have."""
        return self.size(self._with_defaults(options))

    def data_key(self, options: Options, data: Path | None = None) -> str:
        """A short name for the data: two runs have the same key exactly when they draw on the same examples."""
        return self.key(self._with_defaults(options), data)

    def unavailable(self, options: Options, data: Path | None) -> str | None:
        """One line where it is certain, without trying a download, that the data cannot be had."""
        return self.missing(self._with_defaults(options), data)

    def _with_defaults(self, options: Options) -> dict[str, Any]:
        unknown = sorted(set(options) - set(self.options))
        if unknown:
            hint = nearest(unknown[0], self.options) if self.options else "it has none"
            raise UnknownTask(f"{self.name} has no option {unknown[0]!r}; {hint}")
        return {**{key: option.default for key, option in self.options.items()}, **options}


def register(entry: TaskEntry) -> None:
    """Add a task from outside the repository (``--plugin``).

    Raises:
        ValueError: the name is taken.
    """
    if entry.name in TASKS:
        raise ValueError(f"the catalogue has a {entry.name!r} already; choose another name")
    TASKS[entry.name] = entry


class UnknownTask(ValueError):
    """A task or option that the catalogue does not have; the message gives the nearest one."""


def find(name: str) -> TaskEntry:
    """The task of this name.

    Raises:
        UnknownTask: with one line that gives the nearest name.
    """
    if name not in TASKS:
        raise UnknownTask(f"no task is called {name!r}; {nearest(name, TASKS)}")
    return TASKS[name]


def nearest(name: str, known: Iterable[str]) -> str:
    """``did you mean 'x'?``, or the whole list where nothing is near."""
    close = difflib.get_close_matches(name, list(known), n=1, cutoff=0.5)
    return f"did you mean {close[0]!r}?" if close else "known: " + ", ".join(known)


TO_SET = "image or vector in, set out"
AUTO_ENCODING = "set in, set out"
TO_LABEL = "set in, label out"
TO_NUMBER = "set in, number out"

_POINTS = {"points": TaskOption(0, "keep at most so many points of each set, drawn at random once; 0 keeps all")}
_CLEVR = {
    "clevr": TaskOption("rendered", "our own rendered scenes, or CLEVR v1.0 itself from --data", ("rendered", "real")),
    "test_on": TaskOption("same", "test models trained on rendered scenes on CLEVR v1.0 from --data", ("same", "real")),
}
_BOXES = {
    "boxes": TaskOption("published", "the papers' approximate boxes, or what the camera sees", ("published", "exact"))
}


def _points(options: Options) -> int:
    return options["points"] or 342


def _clevr_key(options: Options, data: Path | None) -> str:
    exact = "-exact-boxes" if options.get("boxes") == "exact" else ""
    if options["clevr"] == "real":
        return real_clevr_key(data) + exact
    tested = f"-tested-on-{real_clevr_key(data)}" if options["test_on"] == "real" else ""
    return rendered_clevr_key() + tested + exact


def _clevr_missing(options: Options, data: Path | None) -> str | None:
    return real_clevr_missing(data) if "real" in (options["clevr"], options["test_on"]) else None


def _clevr(
    name: str,
    target: str,
    asks: str,
    good: str,
    headline: str,
    picture: str,
    options: Mapping[str, TaskOption] = MappingProxyType({}),
) -> TaskEntry:
    return TaskEntry(
        name=name,
        target=target,
        group=TO_SET,
        asks=asks,
        good=good,
        headline=headline,
        input_kind="image",
        output_kind="set",
        size=lambda options: 10,
        key=_clevr_key,
        has_positions=True,
        options={**_CLEVR, **options},
        missing=_clevr_missing,
        picture=picture,
    )


def _auto_encoding(name: str, target: str, of: str, key: Callable[[int], str]) -> TaskEntry:
    return TaskEntry(
        name=name,
        target=target,
        group=AUTO_ENCODING,
        asks=f"Squeeze the bright pixels of {of}, a set of points, into one vector, and give the set back.",
        good="ospa is how far points are from their partners in the best one-to-one matching, in pixels of the 28 x 28 "
        "grid, a point too many or too few counting 5: 0 is perfect. (chamfer, the papers' figure, lets many points "
        "share a neighbour, so one good average set already has a low one.)",
        headline="ospa",
        input_kind="set",
        output_kind="set",
        size=_points,
        key=lambda options, data: key(options["points"]),
        has_positions=True,
        options=_POINTS,
        picture="points",
    )


def _classes(name: str, target: str, of: str, key: Callable[[int], str]) -> TaskEntry:
    return TaskEntry(
        name=name,
        target=target,
        group=TO_LABEL,
        asks=f"Say which digit the bright pixels of {of}, a set of points, show.",
        good="accuracy is the percentage of digits that are right: guessing gives about 10, 100 is perfect.",
        headline="accuracy",
        input_kind="set",
        output_kind="label",
        size=_points,
        key=lambda options, data: key(options["points"]),
        has_positions=True,
        options=_POINTS,
    )


def _arithmetic(name: str, target: str, size: int, asks: str, headline: str = "accuracy") -> TaskEntry:
    good = {
        "accuracy": "accuracy is the percentage of answers that are exact after rounding: 100 is perfect.",
        "rmse": "rmse is the root of the mean squared error, in squared units of the integers (variances spread by "
        "about 240 around their mean of 750): 0 is perfect.",
    }[headline]
    return TaskEntry(
        name=name,
        target=target,
        group=TO_NUMBER,
        asks=asks,
        good=good,
        headline=headline,
        input_kind="set",
        output_kind="number",
        size=lambda options: size,
        key=lambda options, data: "sampled-v1",
        has_positions=False,
    )


TASKS: dict[str, TaskEntry] = {
    entry.name: entry
    for entry in (
        TaskEntry(
            name="rotated_square",
            target="setbench.tasks.rotated_square:RotatedSquare",
            group=TO_SET,
            asks="From (cos 4a, sin 4a) give the four corners of the square turned by the angle a: a quarter turn "
            "gives the same set, so a decoder that lists its corners in order must jump somewhere.",
            good="mean_error is how far a corner is off, in half-diagonals of the square: the best constant has "
            "about 0.38, 0 is perfect. worst_error is the same at the worst angle, where continuous decoders break.",
            headline="mean_error",
            input_kind="vector",
            output_kind="set",
            size=lambda options: 4,
            key=lambda options, data: "sampled-v1",
            has_positions=True,
            picture="corners",
        ),
        _clevr(
            "clevr_box",
            "setbench.tasks.clevr.box:ClevrBox",
            "From a picture of a CLEVR scene give the bounding box of every object, 3 to 10 of them.",
            "ap_50 is average precision, in per cent, where a box counts as found if it overlaps the true one by half "
            "(IoU 0.5): 100 is perfect; the columns to its right ask for tighter boxes.",
            "ap_50",
            picture="boxes",
            options=_BOXES,
        ),
        _clevr(
            "clevr_state",
            "setbench.tasks.clevr.state:ClevrState",
            "From a picture of a CLEVR scene give every object's position, shape, colour, material and size.",
            "ap_inf is average precision, in per cent, where an object counts as found if its four attributes are all "
            "right: 100 is perfect; the columns to its right also ask for its position.",
            "ap_inf",
            picture="setbench.tasks.clevr.redraw:redraw",
        ),
        _auto_encoding("set_mnist", "setbench.tasks.points.set_mnist:SetMnist", "an MNIST digit", mnist_key),
        _auto_encoding(
            "set_digits", "setbench.tasks.points.set_digits:SetDigits", "a handwritten digit (not MNIST)", digits_key
        ),
        _classes("set_mnist_classes", "setbench.tasks.points.classes:SetMnistClasses", "an MNIST digit", mnist_key),
        _classes(
            "set_digits_classes",
            "setbench.tasks.points.classes:SetDigitsClasses",
            "a handwritten digit (not MNIST)",
            digits_key,
        ),
        _arithmetic("arithmetic_sum", "setbench.tasks.arithmetic:Sum", 5, "Add up five integers of 0 to 99."),
        _arithmetic(
            "arithmetic_range",
            "setbench.tasks.arithmetic:Range",
            5,
            "The largest less the smallest of five integers of 0 to 99.",
        ),
        _arithmetic(
            "arithmetic_unique_sum",
            "setbench.tasks.arithmetic:UniqueSum",
            10,
            "Add up the different ones among ten integers of 0 to 9.",
        ),
        _arithmetic(
            "arithmetic_unique_count",
            "setbench.tasks.arithmetic:UniqueCount",
            10,
            "Count the different ones among ten integers of 0 to 9.",
        ),
        _arithmetic(
            "arithmetic_variance",
            "setbench.tasks.arithmetic:Variance",
            10,
            "The variance (divided by n) of ten integers of 0 to 99.",
            headline="rmse",
        ),
    )
}
