"""Averaging over permutations: Janossy pooling and what it becomes at k = 1. Imports no torch."""

from models.entry import Entry, Option
from models.permuting.counting import ordered_tuples

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
    Entry(
        name="janossy",
        target="models.permuting.janossy:Janossy",
        kind="encoder",
        paradigm="permuting",
        section="Permuting & averaging",
        paper="Murphy et al. 2019",
        summary="average a network of the ordered k-tuples of distinct elements",
        cost="N!/(N-k)!",
        options={
            "k": Option(2, "length of the tuples; N is the whole set in all its orders", words=("N",)),
            "phi": Option("mlp", "the network of a tuple", ("mlp", "gru", "lstm")),
            "rho": Option("mlp", "what follows the average", ("mlp", "linear")),
            "diagonal": Option(False, "take tuples with repeated elements too", (False, True)),
        },
        rows=("k=2", "k=3", "k=N"),
        terms=ordered_tuples,
    ),
    Entry(
        name="relation_network",
        target="models.permuting.relation_network:RelationNetwork",
        kind="encoder",
        paradigm="permuting",
        section="Permuting & averaging",
        paper="Santoro et al. 2017",
        summary="average a deep network of all ordered pairs, an element with itself included",
        cost="N^2",
        options={
            "depth": Option(2, "hidden layers of the pair network; the paper has 4"),
            "pool": Option("mean", "how pairs are pooled; the paper sums", ("mean", "sum")),
        },
    ),
)
