"""Averaging over permutations: Janossy pooling and what it becomes at k = 1. Imports no torch."""

from models.entry import Entry, Option

ENTRIES: tuple[Entry, ...] = (
    Entry(
        name="deep_sets",
        target="models.permuting.deep_sets:DeepSets",
        kind="encoder",
        paradigm="permuting (k=1)",
        section="Permuting & averaging",
        paper="Zaheer et al. 2017",
        summary="pool a network of each element",
        cost="N",
        options={"pool": Option("mean", "how elements are pooled", ("sum", "mean", "max"))},
    ),
)
