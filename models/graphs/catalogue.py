"""A set as a graph or a hypergraph. Imports no torch."""

from models.entry import Entry, Option

_GRAPH = {
    "graph": Option("complete", "who hears whom: all, or the nearest alone", ("complete", "knn")),
    "neighbours": Option(8, "how many nearest ones, under graph=knn"),
    "layers": Option(2, "number of convolutions"),
    "pool": Option("mean", "how the elements become one vector", ("mean", "sum", "max")),
}
_HEADS = Option(4, "attention heads; must divide the width")
_BOTH_GRAPHS = ("", "graph=knn")
_COST = "N^2 (complete), N^2 distances and N k messages (knn)"

# Told apart by measurement: tests/models/graphs/test_pyg_aggregation.py.
_INVARIANT = (
    *("Sum", "Mean", "Max", "Min", "Var", "Std", "Multi", "Softmax", "PowerMean", "Median", "Quantile"),
    *("VariancePreserving", "DegreeScaler", "Attentional", "DeepSets", "Set2Set", "SetTransformer"),
    *("GraphMultisetTransformer", "Equilibrium", "Sort"),
)
_ORDERED = ("LSTM", "GRU", "LCM", "MLP", "PatchTransformer")

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
    Entry(
        name="gatv2",
        target="models.graphs.gatv2:GATv2",
        kind="encoder",
        paradigm="graphs",
        section="Graphs",
        paper="Brody et al. 2022",
        summary="graph attention whose scores see differences and distances (PyG)",
        cost=_COST,
        options={"heads": _HEADS, **_GRAPH},
        rows=_BOTH_GRAPHS,
    ),
    Entry(
        name="pna",
        target="models.graphs.pna:PNA",
        kind="encoder",
        paradigm="graphs",
        section="Graphs",
        paper="Corso et al. 2020",
        summary="mean, minimum, maximum and deviation over neighbours, scaled by degree (PyG)",
        cost=_COST,
        options=_GRAPH,
        rows=_BOTH_GRAPHS,
    ),
    Entry(
        name="transformer_conv",
        target="models.graphs.transformer_conv:TransformerConv",
        kind="encoder",
        paradigm="graphs",
        section="Graphs",
        paper="Shi et al. 2021",
        summary="attention with differences and distances added to keys and values (PyG)",
        cost=_COST,
        options={"heads": _HEADS, **_GRAPH},
        rows=_BOTH_GRAPHS,
    ),
    Entry(
        name="invariant_graph_network",
        target="models.graphs.invariant_graph_network:InvariantGraphNetwork",
        kind="encoder",
        paradigm="graphs",
        section="Graphs",
        paper="Maron et al. 2019",
        summary="all 15 equivariant linear maps of the tensor of pairs, layer by layer, then its invariants",
        why="a combination of all the maps that do not depend on the numbering, and of no other",
        cost="N^2",
        options={
            "layers": Option(2, "number of equivariant layers"),
            "pool": Option("max", "over the diagonal and over the rest", ("max", "mean")),
        },
    ),
    Entry(
        name="pyg_aggregation",
        target="models.graphs.pyg_aggregation:PyGAggregation",
        kind="encoder",
        paradigm="library (PyG)",
        section="Library peers",
        paper="Fey and Lenssen 2019",
        summary="an invariant aggregation of PyTorch Geometric over a network of each element",
        why="symmetric in the elements (Sort: unless different elements tie in its key)",
        cost="N (SetTransformer N^2, Sort and Quantile N log N)",
        options={"aggr": Option("Mean", "class name in torch_geometric.nn.aggr", _INVARIANT)},
        rows=tuple(f"aggr={name}" for name in _INVARIANT if name not in ("Min", "Var", "Multi")),
    ),
    Entry(
        name="pyg_ordered",
        target="models.graphs.pyg_aggregation:PyGAggregation",
        kind="encoder",
        paradigm="library (PyG)",
        section="Library peers",
        paper="Fey and Lenssen 2019",
        summary="an aggregation of PyTorch Geometric that depends on the order, over a network of each element",
        invariance="none",
        why="by its own documentation no invariant operator",
        options={"aggr": Option("LSTM", "class name in torch_geometric.nn.aggr", _ORDERED)},
        rows=tuple(f"aggr={name}" for name in _ORDERED),
        fixed_size=True,
    ),
)
