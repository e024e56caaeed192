"""What :func:`setbench.check` found of a module."""

from __future__ import annotations

import html
from dataclasses import dataclass, field

from setbench.models.check.calls import Sets

TOLERANCE = 1e-9
"""Relative error in float64 up to which a module counts as exact: rounding is about 1e-15, of long sums 1e-12."""
TOLERANCE32 = 1e-4
"""The same in float32, for modules that compute in nothing else."""


@dataclass(frozen=True)
class Moved:
    """How far permuting a set moves the answer from where it should be: the largest |difference| / |f(x)| over sets and
    random orders (over 1e-5 |x| where f(x) is smaller than that).

    ``worst_error`` is the largest that was found at all, by random orders or by a greedy search over swaps, in float64;
    ``worst`` its order, and ``worst_set`` the number of the set: ``sets[0][worst_set, worst]`` is what moves the answer
    so far. ``error64`` is None where the module computes in float32 alone.
    """

    error32: float
    error64: float | None
    worst_error: float
    worst: list[int]
    worst_set: int

    def exact(self, tolerance: float) -> bool:
        return self.worst_error <= tolerance

    def figures(self, tolerance: float) -> str:
        """The errors and, where it is not exact, the order behind the largest."""
        double = "" if self.error64 is None else f", {self.error64:.1e} (float64)"
        said = f"error {self.error32:.1e} (float32){double}"
        if self.exact(tolerance):
            return said
        order = ",".join(map(str, self.worst[:12])) + (",…" if len(self.worst) > 12 else "")
        return f"{said}\nat worst {self.worst_error:.1e}: set {self.worst_set} in the order {order}"


@dataclass(frozen=True, eq=False)
class Checked:
    """Four questions about a module, and the figures behind the answers.

    ``noise`` is how far two calls on one and the same input differ. ``equivariance`` is None where the answer has no
    place an element, ``padding`` (how far more padding, or other values in it, move the answer) where the module is not
    told of any. ``gradients`` says on which sets they are finite; it is empty where there are none. ``sets`` are those
    that the module was tried on, with their mask.
    """

    head: str
    noise: float
    invariance: Moved
    equivariance: Moved | None
    padding: float | None
    gradients: dict[str, bool]
    tolerance: float
    sets: Sets
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
        """None where the module is random, or not told of any."""
        return None if self.random or self.padding is None else self.padding <= self.tolerance

    @property
    def finite_gradients(self) -> bool | None:
        """None where no gradient reaches its input or its weights."""
        return all(self.gradients.values()) if self.gradients else None

    def __bool__(self) -> bool:
        """Invariant or equivariant, and indifferent to padding where it is told of any."""
        return bool(self.invariant or self.equivariant) and self.ignores_padding is not False

    def rows(self) -> list[tuple[str, str, str]]:
        """Question, answer, and figures in one line or two."""
        return [
            ("invariant", *self._order(self.invariant, self.invariance)),
            ("equivariant", *self._order(self.equivariant, self.equivariance)),
            ("indifferent to padding", *self._padding()),
            ("finite gradients", *self._finite()),
        ]

    def _order(self, answer: bool | None, moved: Moved | None) -> tuple[str, str]:
        if moved is None:
            return "–", "its answer has no place an element"
        if self.random:
            return "unknown", f"two calls differ by {self.noise:.1e}"
        return _word(answer), moved.figures(self.tolerance)

    def _padding(self) -> tuple[str, str]:
        if self.padding is None:
            return "–", "it is told of none"
        if self.random:
            return "unknown", f"two calls differ by {self.noise:.1e}"
        return _word(self.ignores_padding), f"its answer moves by {self.padding:.1e}"

    def _finite(self) -> tuple[str, str]:
        if not self.gradients:
            return "–", "none reaches its input or its weights"
        wrong = [sets for sets, finite in self.gradients.items() if not finite]
        where = "not on " + " and ".join(wrong) if wrong else "on " + " and ".join(self.gradients)
        return _word(not wrong), where

    def __repr__(self) -> str:
        lines = [self.head]
        for question, answer, figures in self.rows():
            lines.append(f"  {question:<23} {answer:<8} " + figures.replace("\n", "\n" + " " * 35))
        return "\n".join([*lines, *(f"  {note}" for note in self.notes)])

    def _repr_html_(self) -> str:
        cells = "".join(
            "<tr>"
            + "".join(f'<td style="text-align: left">{html.escape(text).replace(chr(10), "<br>")}</td>' for text in row)
            + "</tr>"
            for row in self.rows()
        )
        notes = "".join(f"<p>{html.escape(note)}</p>" for note in self.notes)
        return f"<p><b>{html.escape(self.head)}</b></p><table>{cells}</table>{notes}"


def _word(answer: bool | None) -> str:
    return "yes" if answer else "no"
