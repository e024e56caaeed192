"""Averaging over permutations: Janossy pooling and what it becomes at k = 1. Imports no torch."""

from functools import partial

from setbench.models.entry import Entry
from setbench.models.ops.counting import ordered_tuples
from setbench.options import Option

HIDDEN = Option(2, "ReLU layers of phi, the same for deep_sets and every k of janossy", low=1)

entry = partial(Entry, package=__package__, kind="encoder", paradigm="permuting", section="Permuting & averaging")

ENTRIES: tuple[Entry, ...] = (
    entry(
        name="deep_sets",
        target="deep_sets:DeepSets",
        paper="Zaheer et al. 2017",
        summary="pool a network of each element",
        cost="N",
        options={
            "pool": Option("mean", "how elements are pooled; the theorem has the sum", ("sum", "mean", "max")),
            "hidden": HIDDEN,
        },
        more_rows=("pool=sum",),
    ),
    entry(
        name="janossy",
        target="janossy:Janossy",
        paper="Murphy et al. 2019",
        summary="average a network of the ordered k-tuples of distinct elements",
        cost="N!/(N-k)!",
        options={
            "k": Option(2, "length of the tuples; N is the whole set in all its orders", words=("N",), low=1),
            "phi": Option("mlp", "the network of a tuple", ("mlp", "gru", "lstm")),
            "rho": Option(
                "mlp",
                "what follows the average; none and tanh (one layer), a linear head behind them, are the paper's two",
                ("mlp", "linear", "none", "tanh"),
            ),
            "diagonal": Option(False, "take tuples with repeated elements too"),
            "hidden": HIDDEN,
            "activation": Option("relu", "of phi's layers; the paper's arithmetic has tanh", ("relu", "tanh")),
            "pool": Option("mean", "mean over the tuples, or that times the number of subsets", ("mean", "sum")),
            "shorten": Option(False, "phi sees the first features / k numbers of an element, as in the paper"),
        },
        rows=("k=2", "k=3", "k=N"),
        terms=ordered_tuples,
    ),
    entry(
        name="relation_network",
        target="relation_network:RelationNetwork",
        paper="Santoro et al. 2017",
        summary="average a deep network of all ordered pairs, an element with itself included",
        cost="N^2",
        options={
            "depth": Option(2, "hidden layers of the pair network; the paper has 4", low=1),
            "pool": Option("mean", "how pairs are pooled; the paper sums", ("mean", "sum")),
        },
    ),
    entry(
        name="janossy_equivariant",
        target="janossy_equivariant:JanossyEquivariant",
        paper="Murphy et al. 2019",
        summary="a stack of layers that give each element the average over the k-tuples that start with it",
        cost="N!/(N-k)!",
        options={
            "k": Option(2, "length of the tuples; N is the whole set in all its orders", words=("N",), low=1),
            "layers": Option(2, "layers of the stack", low=1),
            "phi": Option("mlp", "the network of a tuple", ("mlp", "gru", "lstm")),
        },
        terms=ordered_tuples,
    ),
    entry(
        name="deep_sets_equivariant",
        target="deep_sets_equivariant:DeepSetsEquivariant",
        paper="Zaheer et al. 2017",
        summary="a stack of layers in which each element sees itself and the pool of all",
        cost="N",
        options={
            "pool": Option("max", "the pool in the layers and at the end", ("max", "mean")),
            "layers": Option(3, "layers of the stack; the paper has 3", low=1),
            "tied": Option(False, "one matrix for element and pool, as in the paper's (centred) point clouds"),
        },
    ),
    entry(
        name="pointnet",
        target="pointnet:PointNet",
        paper="Qi et al. 2017a",
        summary="the maximum over a network of each point",
        cost="N",
        options={"transforms": Option(False, "matrices made from the set, for its coordinates and its features")},
        rows=("transforms=false", "transforms=true"),
    ),
    entry(
        name="pointnet_plus_plus",
        target="pointnet_plus_plus:PointNetPlusPlus",
        paper="Qi et al. 2017b",
        summary="PointNets of neighbourhoods around points that are far from one another, twice, then of all",
        cost="N^2",
        options={"neighbours": Option(16, "points in a neighbourhood; the paper has at most 32 and 64", low=1)},
        needs_positions=True,
    ),
)
