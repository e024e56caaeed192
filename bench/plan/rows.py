"""What a row of the leaderboard is called. Imports no torch."""

from __future__ import annotations

from collections.abc import Mapping

from setbench.models.catalogue import parse
from setbench.options import UnknownName

CONSTANT = "best constant"


def row_name(encoder: str | None, decoder: str | None) -> str:
    """What a row is called: ``fspool + dspn``, ``fspool``, ``lstm decoder`` or the best constant."""
    if encoder is None:
        return f"{decoder} decoder" if decoder else CONSTANT
    return f"{encoder} + {decoder}" if decoder else encoder


def proper_row(text: str) -> str:
    """A row's name with its options in the catalogue's order, without those at their defaults.

    Raises:
        UnknownName: a model, an option or a value that there is not, in one line.
    """
    encoder, plus, decoder = text.partition(" + ")
    if not plus and text.endswith(" decoder"):
        encoder, decoder = "", text.removesuffix(" decoder")
    return row_name(
        parse(encoder, ("encoder", "predictor")).name if encoder else None,
        parse(decoder, ("decoder",)).name if decoder else None,
    )


def stand_in(row: str, shared: Mapping[str, str]) -> str:
    """The row with its encoder replaced by the one that its paradigm shares its tuned rates with; the row itself where
    there is none.

    Args:
        shared: paradigm -> encoder, as in a preset's ``[shared]``.
    """
    encoder, plus, decoder = row.partition(" + ")
    if not shared:
        return row
    try:
        entry = parse(encoder, ("encoder",)).entry
    except UnknownName:  # a decoder's row, the constant, a whole predictor
        return row
    return shared.get(entry.paradigm, encoder) + plus + decoder
