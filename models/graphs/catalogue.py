"""A set as a graph or a hypergraph. Imports no torch."""

from functools import partial

from setbench.models.entry import Entry
from setbench.models.ops.unfit import knows_no_place, nearest_are_all
from setbench.options import Option

_POOL = Option("mean", "how the elements become one vector", ("mean", "sum", "max"))
_GRAPH = {
    "graph": Option("complete", "who hears whom: all, or the nearest alone", ("complete", "knn")),
    "neighbours": Option(8, "how many nearest ones, under graph=knn", low=1),
    "layers": Option(2, "number of convolutions", low=1),
    "pool": _POOL,
}
_HEADS = Option(4, "attention heads; must divide the width", low=1)
_BOTH_GRAPHS = ("", "graph=knn")
_SYMMETRIC = "messages and the pool are symmetric in the elements; ties among neighbours are settled by content"
_COST = "N^2; graph=knn: N^2 distances + N k messages"

# Told apart by measurement: tests/models/graphs/test_pyg_aggregation.py.
_INVARIANT = (
    *("Sum", "Mean", "Max", "Min", "Var", "Std", "Multi", "Softmax", "PowerMean", "Median", "Quantile"),
    *("VariancePreserving", "DegreeScaler", "Attentional", "DeepSets", "Set2Set", "SetTransformer"),
    *("GraphMultisetTransformer", "Equilibrium", "Sort"),
)
_ORDERED = ("LSTM", "GRU", "LCM", "MLP", "PatchTransformer")

entry = partial(Entry, package=__package__, kind="encoder", paradigm="graphs", section="Graphs")

ENTRIES: tuple[Entry, ...] = (
    entry(
        name="gin",
        target="gin:GIN",
        paper="Xu et al. 2019",
        summary="graph isomorphism network on the set as a graph (PyG)",
        why=_SYMMETRIC,
        cost=_COST,
        options={
            "aggr": Option("sum", "over neighbours; the theorem needs the sum", ("sum", "mean")),
            **_GRAPH,
        },
        rows=_BOTH_GRAPHS,
        redundant=nearest_are_all,
    ),
    entry(
        name="edge_conv",
        target="edge_conv:EdgeConv",
        paper="Wang et al. 2019",
        summary="maximum over neighbours of a network of an element and a difference (PyG); graph=dynamic is DGCNN's",
        why=_SYMMETRIC,
        cost=_COST.replace("knn", "knn,dynamic"),
        options={
            **_GRAPH,
            "graph": Option(
                "complete",
                "who hears whom: all, the nearest alone, or those nearest in each layer's features",
                ("complete", "knn", "dynamic"),
            ),
        },
        rows=("", "graph=knn", "graph=dynamic"),
        redundant=nearest_are_all,
    ),
    entry(
        name="gatv2",
        target="gatv2:GATv2",
        paper="Brody et al. 2022",
        summary="graph attention whose scores see differences and distances (PyG)",
        why=_SYMMETRIC,
        cost=_COST,
        options={"heads": _HEADS, **_GRAPH},
        rows=_BOTH_GRAPHS,
        redundant=nearest_are_all,
    ),
    entry(
        name="pna",
        target="pna:PNA",
        paper="Corso et al. 2020",
        summary="mean, minimum, maximum and deviation over neighbours, scaled by degree (PyG)",
        why=_SYMMETRIC,
        cost=_COST,
        options=_GRAPH,
        rows=_BOTH_GRAPHS,
        redundant=nearest_are_all,
    ),
    entry(
        name="transformer_conv",
        target="transformer_conv:TransformerConv",
        paper="Shi et al. 2021",
        summary="attention with differences and distances added to keys and values (PyG)",
        why=_SYMMETRIC,
        cost=_COST,
        options={"heads": _HEADS, **_GRAPH},
        rows=_BOTH_GRAPHS,
        redundant=nearest_are_all,
    ),
    entry(
        name="invariant_graph_network",
        target="invariant_graph_network:InvariantGraphNetwork",
        paper="Maron et al. 2019",
        summary="all 15 equivariant linear maps of the tensor of pairs, layer by layer, then its invariants",
        why="a combination of all the maps that do not depend on the numbering, and of no other",
        cost="N^2",
        options={
            "layers": Option(2, "number of equivariant layers", low=1),
            "pool": Option("max", "over the diagonal and over the rest", ("max", "mean")),
        },
    ),
    entry(
        name="hypergcn",
        target="hypergcn:HyperGCN",
        paper="Yadati et al. 2019",
        summary="graph convolutions between the extreme members of hyperedges: each element's neighbourhood, made up "
        "for sets; along one fixed direction (the authors' fast variant)",
        why="its random direction is drawn once for all sets, and ties are settled by content",
        cost="N^2 distances + N k pairs",
        options={
            "neighbours": Option(4, "how many nearest ones make a hyperedge with an element", low=1),
            "mediators": Option(True, "members between the extreme ones take part"),
            "layers": Option(2, "number of convolutions", low=1),
            "pool": _POOL,
        },
        rows=("", "mediators=False"),
    ),
    entry(
        name="lambda_net",
        target="lambda_net:LambdaNet",
        paper="Wei et al. 2020",
        summary="after LambdaNet: messages along triplets of neighbours, one kind of them, a network for each place; "
        "without its types and its attention over usages",
        why="places are given by nearness, and ties are settled by content",
        cost="N^2 distances + N k^2 triplets",
        options={
            "neighbours": Option(4, "how many nearest ones an element forms triplets with", low=2),
            "layers": Option(2, "rounds of messages", low=1),
            "pool": _POOL,
        },
    ),
    entry(
        name="se3_attention",
        target="se3_attention:SE3Attention",
        paper="Fuchs et al. 2020",
        summary="attention whose keys and values know distances; positions=invariant: blind to every rigid motion",
        why=_SYMMETRIC,
        cost=_COST,
        options={
            "positions": Option(
                "invariant", "whether positions are features besides (absolute)", ("invariant", "absolute")
            ),
            "heads": _HEADS,
            "graph": _GRAPH["graph"],
            "neighbours": _GRAPH["neighbours"],
            "layers": Option(2, "rounds of attention", low=1),
        },
        rows=("", "positions=absolute"),
        redundant=nearest_are_all,
        cannot_place=knows_no_place,
        needs_positions=True,
    ),
    entry(
        name="pyg_aggregation",
        target="pyg_aggregation:PyGAggregation",
        paradigm="library (PyG)",
        section="Library peers",
        paper="Fey and Lenssen 2019",
        summary="an invariant aggregation of PyTorch Geometric over a network of each element",
        why="symmetric in the elements (Sort: unless different elements tie in its key)",
        cost="N; aggr=SetTransformer: N^2; aggr=Sort,Median,Quantile: N log N",
        options={"aggr": Option("Mean", "class name in torch_geometric.nn.aggr", _INVARIANT)},
        rows=tuple(f"aggr={name}" for name in _INVARIANT if name not in ("Min", "Var", "Multi")),
    ),
    entry(
        name="pyg_ordered",
        target="pyg_aggregation:PyGAggregation",
        paradigm="library (PyG)",
        section="Library peers",
        paper="Fey and Lenssen 2019",
        summary="an aggregation of PyTorch Geometric that depends on the order, over a network of each element",
        invariance="none",
        why="by its own documentation no invariant operator",
        cost="N; aggr=PatchTransformer: N^2",
        overrides=("aggr",),
        options={"aggr": Option("LSTM", "class name in torch_geometric.nn.aggr", _ORDERED)},
        rows=tuple(f"aggr={name}" for name in _ORDERED),
        fixed_size=True,
    ),
)
