"""What a model's, a task's or a preset's option is, and how ``name:option=value`` is read. Imports no torch.

An option is declared once, as an :class:`Option`: the command line, Python and the records read it from there.
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

Value = str | int | float | bool


class UnknownName(ValueError):
    """A name, an option or a value that there is not; the message is one line and gives the nearest that there is."""


def nearest(name: str, known: Iterable[str]) -> str:
    """``did you mean 'x'?``, or the whole list where nothing is near."""
    known = list(known)
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    if close:
        return f"did you mean {close[0]!r}?"
    return "known: " + ", ".join(known) if known else "there are none"


@dataclass(frozen=True)
class Option:
    """An option: its default (which gives its type), what it does, and which values it may take.

    ``choices`` lists all values where they are few; ``words`` are words allowed beside a number (``k=N``). Numbers are
    finite, at least ``low``, more than ``above`` and at most ``high``, where these are given. Beside ``words`` of which
    one is the default, numbers are whole, unless ``number`` is ``float``.
    """

    default: Value
    meaning: str
    choices: tuple[Value, ...] = ()
    words: tuple[str, ...] = ()
    low: float | None = None
    above: float | None = None
    high: float | None = None
    number: type[int] | type[float] = int

    def __post_init__(self) -> None:
        if self.why_not(self.default):
            raise ValueError(f"the default {self.default!r} is not {self.wanted}")

    @property
    def real(self) -> bool:
        """Whether its numbers are real ones, not whole ones."""
        return isinstance(self.default, float) or (isinstance(self.default, str) and self.number is float)

    @property
    def wanted(self) -> str:
        """Which values there are, in words: ``a whole number, at least 1, or N``."""
        if self.choices:
            return " or ".join(map(str, self.choices))
        kind = {bool: "true or false", int: "a whole number", float: "a number", str: "a word"}[type(self.default)]
        if isinstance(self.default, str) and self.words:
            kind = "a number" if self.real else "a whole number"
        bounds = (("at least", self.low), ("more than", self.above), ("at most", self.high))
        return ", ".join(
            [
                kind,
                *(f"{word} {bound:g}" for word, bound in bounds if bound is not None),
                *(f"or {w}" for w in self.words),
            ]
        )

    def why_not(self, value: Value) -> bool:
        """Whether this is no value of the option."""
        if self.choices:
            return value not in self.choices
        if isinstance(value, str):
            return bool(self.words) and value not in self.words
        if isinstance(value, bool) or isinstance(self.default, bool):
            return type(value) is not type(self.default)
        if isinstance(self.default, str) and not self.words:
            return True
        return (
            not math.isfinite(value)
            or (self.low is not None and value < self.low)
            or (self.above is not None and value <= self.above)
            or (self.high is not None and value > self.high)
        )

    def read(self, text: str) -> Value:
        """The value that a text stands for.

        Raises:
            ValueError: it stands for none.
        """
        for word in (*self.choices, *self.words):
            if str(word).lower() == text.lower() and (isinstance(word, bool) or str(word) == text):
                return word
        value: Value
        if isinstance(self.default, bool):
            value = {"true": True, "false": False}.get(text.lower(), text)
        elif isinstance(self.default, str) and not self.words:
            value = text
        else:
            value = float(text) if self.real else int(text)
        if self.why_not(value) or type(value) is str is not type(self.default):
            raise ValueError(text)
        return value

    def take(self, value: object) -> Value:
        """The option's value that is given as text, as from a command line, or as Python's or TOML's own.

        Raises:
            ValueError: it is none.
        """
        if isinstance(value, str):
            return self.read(value)
        if self.real and type(value) is int:
            value = float(value)
        if not isinstance(value, (bool, int, float)) or (type(value) is float and not self.real):
            raise ValueError
        if self.why_not(value):
            raise ValueError
        return value

    def hint(self, value: object) -> str:
        """What would be right in place of a value that is none: the nearest choice, or which values there are."""
        return nearest(str(value), map(str, self.choices)) if self.choices else f"it takes {self.wanted}"


def check(owner: str, declared: Mapping[str, Option], given: Mapping[str, Value | str]) -> dict[str, Value]:
    """All options of ``owner``, the given ones read and checked, the others at their defaults.

    Values may be texts, as from a command line, or Python's own.

    Raises:
        UnknownName: an option or a value that there is not, in one line with what there is.
    """
    options = {name: option.default for name, option in declared.items()}
    for name, value in given.items():
        if name not in declared:
            raise UnknownName(
                f"{owner} has no option {name!r}; " + (nearest(name, declared) if declared else "it has none")
            )
        try:
            options[name] = declared[name].take(value)
        except (ValueError, OverflowError):
            raise UnknownName(f"{owner}:{name}={value}: {declared[name].hint(value)}") from None
    return options


def split(text: str) -> tuple[str, dict[str, str]]:
    """``name:option=value,option=value`` as a name and its options.

    Raises:
        UnknownName: an option without a value.
    """
    name, _, tail = text.partition(":")
    given = {}
    for part in filter(None, tail.split(",")):
        key, equals, value = part.partition("=")
        if not equals:
            raise UnknownName(f"{name}: option {key!r} needs a value, as in {name}:{key}=VALUE")
        given[key] = value
    return name, given


def joined(name: str, declared: Mapping[str, Option], options: Mapping[str, Value], shown: Iterable[str] = ()) -> str:
    """``name:option=value``: the options that are not at their defaults, and those ``shown`` always, in their order."""
    told = [
        f"{key}={options[key]}" for key, option in declared.items() if options[key] != option.default or key in shown
    ]
    return name + (":" + ",".join(told) if told else "")
