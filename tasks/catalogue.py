"""The list of all tasks. Imports no torch, so that ``--list`` and ``--dry-run`` answer at once.

Adding a task is one file and one entry here; ``python -m setbench.tasks.contract NAME`` says whether its laws hold. The
order here is the order in every report.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

from setbench.options import Option, UnknownName, nearest, split
from setbench.specs import ImageSpec, LabelSpec, NumberSpec, SetSpec, VectorSpec
from setbench.tasks.data_keys import (
    LARGEST_DIGIT,
    digits_key,
    mnist_key,
    real_clevr_key,
    real_clevr_missing,
    rendered_clevr_key,
)
from setbench.tasks.entry import Options, TaskEntry, TaskSpec


def register(entry: TaskEntry) -> None:
    """Add a task from outside the repository (``--plugin``).

    Raises:
        ValueError: the name is taken.
    """
    if entry.name in TASKS:
        raise ValueError(f"the catalogue has a {entry.name!r} already; choose another name")
    TASKS[entry.name] = entry


def find(name: str) -> TaskEntry:
    """The task of this name.

    Raises:
        UnknownName: with one line that gives the nearest name.
    """
    if name not in TASKS:
        raise UnknownName(f"no task is called {name!r}; {nearest(name, TASKS)}")
    return TASKS[name]


def parse_task(text: str) -> TaskSpec:
    """The task that a text names, as ``set_mnist:points=64`` or ``clevr_state:clevr=real,test_on=real``.

    Raises:
        UnknownName: a task, an option or a value that there is not, in one line with the nearest that there is.
    """
    name, given = split(text)
    return find(name).under(given)


_COORDINATES = {
    "coordinates": Option(
        "unit", "as models see them: from 0 to 1, as in the papers' code, or centred, from -2 to 2", ("unit", "centred")
    )
}
_POINTS = {
    "points": Option(
        0, "keep at most so many points of each set, drawn at random once; 0 keeps all", low=0, high=LARGEST_DIGIT
    ),
    **_COORDINATES,
}
_CLEVR = {
    "clevr": Option("rendered", "our own rendered scenes, or CLEVR v1.0 itself from --data", ("rendered", "real")),
    "test_on": Option("same", "test models trained on rendered scenes on CLEVR v1.0 from --data", ("same", "real")),
}
SHORT_FORMS = _CLEVR
"""Options that the command line also takes by themselves, for all tasks that have them: ``--clevr real``."""

_BOXES = {
    "boxes": Option("published", "the papers' approximate boxes, or what the camera sees", ("published", "exact")),
    **_COORDINATES,
}


def _points(options: Options) -> SetSpec:
    return SetSpec(features=2, max_size=int(options["points"]) or LARGEST_DIGIT, positions=slice(0, 2))


def _seen(options: Options) -> str:
    return "-centred" if options.get("coordinates") == "centred" else ""


def _clevr_key(options: Options, data: Path | None, cache: Path | None) -> str:
    exact = ("-exact-boxes" if options.get("boxes") == "exact" else "") + _seen(options)
    if options["clevr"] == "real":
        return real_clevr_key(data, cache) + exact
    tested = f"-tested-on-{real_clevr_key(data, cache)}" if options["test_on"] == "real" else ""
    return rendered_clevr_key() + tested + exact


def _clevr_missing(options: Options, data: Path | None) -> str | None:
    return real_clevr_missing(data) if "real" in (options["clevr"], options["test_on"]) else None


def _clevr(
    name: str,
    target: str,
    asks: str,
    good: str,
    headline: str,
    output: SetSpec,
    picture: str,
    options: Mapping[str, Option] = MappingProxyType({}),
) -> TaskEntry:
    return TaskEntry(
        name=name,
        target=target,
        asks=asks,
        good=good,
        headline=headline,
        input=ImageSpec(3, 128, 128),
        output=output,
        key=_clevr_key,
        options={**_CLEVR, **options},
        missing=_clevr_missing,
        picture=picture,
    )


def _auto_encoding(name: str, target: str, of: str, key: Callable[[int], str]) -> TaskEntry:
    return TaskEntry(
        name=name,
        target=target,
        asks=f"Squeeze the bright pixels of {of}, a set of points, into one vector, and give the set back.",
        good="ospa is how far points are from their partners in the best one-to-one matching, in pixels of the 28 x 28 "
        "grid, a point too many or too few counting 5: 0 is perfect. (chamfer, the papers' figure, lets many points "
        "share a neighbour, so one good average set already has a low one.)",
        headline="ospa",
        input=_points,
        output=_points,
        key=lambda options, data, cache: key(int(options["points"])) + _seen(options),
        options=_POINTS,
        picture="points",
    )


def _classes(name: str, target: str, of: str, key: Callable[[int], str]) -> TaskEntry:
    return TaskEntry(
        name=name,
        target=target,
        asks=f"Say which digit the bright pixels of {of}, a set of points, show.",
        good="accuracy is the percentage of digits that are right: guessing gives about 10, 100 is perfect.",
        headline="accuracy",
        input=_points,
        output=LabelSpec(10),
        key=lambda options, data, cache: key(int(options["points"])) + _seen(options),
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
        asks=asks,
        good=good,
        headline=headline,
        input=SetSpec(features=100, max_size=size),
        output=NumberSpec(),
        key="sampled-v1",
        family="arithmetic",
    )


TASKS: dict[str, TaskEntry] = {
    entry.name: entry
    for entry in (
        TaskEntry(
            name="rotated_square",
            target="setbench.tasks.rotated_square:RotatedSquare",
            asks="From (cos 4a, sin 4a) give the four corners of the square turned by the angle a: a quarter turn "
            "gives the same set, so a decoder that lists its corners in order must jump somewhere.",
            good="mean_error is how far a corner is off, in half-diagonals of the square: the best constant has "
            "about 0.38, 0 is perfect. worst_error is the same at the worst angle, where continuous decoders break.",
            headline="mean_error",
            input=VectorSpec(2),
            output=SetSpec(features=2, max_size=4, positions=slice(0, 2)),
            key="sampled-v1",
            picture="corners",
        ),
        _clevr(
            "clevr_box",
            "setbench.tasks.clevr.box:ClevrBox",
            "From a picture of a CLEVR scene give the bounding box of every object, 3 to 10 of them.",
            "ap_50 is average precision, in per cent, where a box counts as found if it overlaps the true one by half "
            "(IoU 0.5): 100 is perfect; the columns to its right ask for tighter boxes.",
            "ap_50",
            output=SetSpec(features=4, max_size=10, positions=slice(0, 4)),
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
            output=SetSpec(features=18, max_size=10, positions=slice(0, 3)),
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
