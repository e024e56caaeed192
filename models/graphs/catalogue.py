"""A set as a graph or a hypergraph. Imports no torch."""

from models.entry import Entry, Option

_GRAPH = {
    "graph": Option("complete", "who hears whom: all, or the nearest alone", ("complete", "knn")),
    "neighbours": Option(8, "how many nearest ones, under graph=knn"),
    "layers": Option(2, "number of convolutions"),
    "pool": Option("mean", "how the elements become one vector", ("mean", "sum", "max")),
}
_BOTH_GRAPHS = ("", "graph=knn")
_COST = "N^2 (complete), N^2 distances and N k messages (knn)"

ENTRIES: tuple[Entry, ...] = (
    Entry(
        name="gin",
        target="models.graphs.gin:GIN",
        kind="encoder",
        paradigm="graphs",
        section="Graphs",
        paper="Xu et al. 2019",
        summary="graph isomorphism network on the set as a graph (PyG)",
        cost=_COST,
        options={"aggregate": Option("mean", "over neighbours; the paper sums", ("mean", "sum")), **_GRAPH},
        rows=_BOTH_GRAPHS,
    ),
    Entry(
        name="edge_conv",
        target="models.graphs.edge_conv:EdgeConv",
        kind="encoder",
        paradigm="graphs",
        section="Graphs",
        paper="Wang et al. 2019",
        summary="maximum over neighbours of a network of an element and a difference (PyG)",
        cost=_COST,
        options=_GRAPH,
        rows=_BOTH_GRAPHS,
    ),
)
