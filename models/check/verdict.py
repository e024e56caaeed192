"""What :func:`setbench.check` found of a module."""

from __future__ import annotations

import html
from dataclasses import dataclass, field

TOLERANCE = 1e-9
"""Relative error in float64 up to which a module counts as exact: rounding is about 1e-15, of long sums 1e-12."""


@dataclass(frozen=True)
class Moved:
    """How far permuting a set moves the answer from where it should be: the largest |difference| / |f(x)| over sets and
    orders. ``worst`` is the order that a greedy search over swaps found, and ``worst_error`` its error in float64."""

    error32: float
    error64: float
    worst_error: float
    worst: list[int]

    def exact(self, tolerance: float) -> bool:
        return max(self.error64, self.worst_error) <= tolerance


@dataclass(frozen=True)
class Checked:
    """Three questions about a module, and the figures behind the answers.

    ``noise`` is how far two calls on one and the same input differ. ``equivariance`` is None where the answer has no
    place an element, ``padding`` (how far more padding, or other values in it, move the answer) where the module takes
    no mask and no index.
    """

    name: str
    call: str
    noise: float
    invariance: Moved
    equivariance: Moved | None
    padding: float | None
    tolerance: float = TOLERANCE
    notes: list[str] = field(default_factory=list)

    @property
    def random(self) -> bool:
        """Two calls on one input differ: nothing can be said of orders."""
        return self.noise > self.tolerance

    @property
    def invariant(self) -> bool | None:
        """f(px) = f(x); None where the module is random."""
        return None if self.random else self.invariance.exact(self.tolerance)

    @property
    def equivariant(self) -> bool | None:
        """f(px) = p f(x); None where the module is random, or its answer has no place an element."""
        if self.random or self.equivariance is None:
            return None
        return self.equivariance.exact(self.tolerance)

    @property
    def ignores_padding(self) -> bool | None:
        """None where the module is random or takes no mask and no index."""
        return None if self.random or self.padding is None else self.padding <= self.tolerance

    def __bool__(self) -> bool:
        """Invariant or equivariant, and indifferent to padding where it knows of any."""
        return bool(self.invariant or self.equivariant) and self.ignores_padding is not False

    def rows(self) -> list[tuple[str, str, str]]:
        """Question, answer, figures."""
        found = [("invariant", _word(self.invariant), _figures(self.invariance))]
        if self.equivariance is None:
            found.append(("equivariant", "–", "its answer has no place an element"))
        else:
            found.append(("equivariant", _word(self.equivariant), _figures(self.equivariance)))
        if self.padding is None:
            return [*found, ("indifferent to padding", "–", "it takes no mask and no index")]
        moves = f"its answer moves by {self.padding:.1e} (float64)"
        return [*found, ("indifferent to padding", _word(self.ignores_padding), moves)]

    def __str__(self) -> str:
        lines = [f"{self.name}, called as module({self.call})"]
        lines += [f"  {question:<23} {answer:<8} {figures}" for question, answer, figures in self.rows()]
        return "\n".join([*lines, *(f"  {note}" for note in self.notes)])

    def _repr_html_(self) -> str:
        cells = "".join(
            "<tr>" + "".join(f"<td>{html.escape(text)}</td>" for text in row) + "</tr>" for row in self.rows()
        )
        notes = "".join(f"<br>{html.escape(note)}" for note in self.notes)
        head = f"{html.escape(self.name)}, called as module({html.escape(self.call)})"
        return f"<table><caption>{head}</caption>{cells}</table>{notes}"


def _word(answer: bool | None) -> str:
    return {True: "yes", False: "no", None: "unknown"}[answer]


def _figures(moved: Moved) -> str:
    said = f"error {moved.error32:.1e} (float32), {moved.error64:.1e} (float64)"
    order = ",".join(map(str, moved.worst[:12])) + (",…" if len(moved.worst) > 12 else "")
    return f"{said}; worst order {order}: {moved.worst_error:.1e}"
