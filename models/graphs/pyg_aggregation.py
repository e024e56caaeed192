"""Any aggregation of PyTorch Geometric as a set encoder: the library's own ways to pool, as peers to measure against.

``Mul`` alone is left out: a product of some hundred features vanishes or overflows, and where two factors are 0 it has
no second derivative.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch_geometric.nn import aggr as pyg

from setbench.models.interfaces import SetEncoder, SetSpec
from setbench.models.ops.equilibrium import PerSetEquilibrium
from setbench.models.ops.layers import mlp
from setbench.models.ops.padding import all_real
from setbench.models.ops.set_graph import ragged

STATISTICS = ["mean", "min", "max", "std"]
SCALERS = ["identity", "amplification", "attenuation"]
QUARTILES = [0.25, 0.5, 0.75]
HEADS = 4
SEEDS = 4
PATCH = 4

MAKERS: dict[str, Callable[[SetSpec, int], tuple[nn.Module, int]]] = {
    "Sum": lambda spec, width: (pyg.SumAggregation(), width),
    "Mean": lambda spec, width: (pyg.MeanAggregation(), width),
    "Max": lambda spec, width: (pyg.MaxAggregation(), width),
    "Min": lambda spec, width: (pyg.MinAggregation(), width),
    "Var": lambda spec, width: (pyg.VarAggregation(), width),
    "Std": lambda spec, width: (pyg.StdAggregation(), width),
    "Multi": lambda spec, width: (pyg.MultiAggregation(STATISTICS), 4 * width),
    "Softmax": lambda spec, width: (pyg.SoftmaxAggregation(learn=True, channels=width), width),
    "PowerMean": lambda spec, width: (pyg.PowerMeanAggregation(learn=True, channels=width), width),
    "Median": lambda spec, width: (pyg.MedianAggregation(), width),
    "Quantile": lambda spec, width: (pyg.QuantileAggregation(QUARTILES), 3 * width),
    "VariancePreserving": lambda spec, width: (pyg.VariancePreservingAggregation(), width),
    "DegreeScaler": lambda spec, width: (
        # PyG asks for the training data's sizes: here each size of the spec, equally often.
        pyg.DegreeScalerAggregation(STATISTICS, SCALERS, deg=(torch.arange(spec.max_size + 1) > 0).long()),
        12 * width,
    ),
    "Attentional": lambda spec, width: (pyg.AttentionalAggregation(nn.Linear(width, 1), mlp(width, width)), width),
    "DeepSets": lambda spec, width: (pyg.DeepSetsAggregation(mlp(width, width, width), mlp(width, width)), width),
    "Set2Set": lambda spec, width: (pyg.Set2Set(width, processing_steps=3), 2 * width),
    "SetTransformer": lambda spec, width: (pyg.SetTransformerAggregation(width, heads=HEADS), width),
    "GraphMultisetTransformer": lambda spec, width: (pyg.GraphMultisetTransformer(width, k=SEEDS, heads=HEADS), width),
    "Equilibrium": lambda spec, width: (PerSetEquilibrium(width, width, num_layers=[width]), width),
    "Sort": lambda spec, width: (pyg.SortAggregation(k=spec.max_size), spec.max_size * width),
    "LSTM": lambda spec, width: (pyg.LSTMAggregation(width, width), width),
    "GRU": lambda spec, width: (pyg.GRUAggregation(width, width), width),
    "LCM": lambda spec, width: (pyg.LCMAggregation(width, width), width),
    "MLP": lambda spec, width: (
        pyg.MLPAggregation(width, width, spec.max_size, hidden_channels=width, num_layers=2, norm=None),
        width,
    ),
    "PatchTransformer": lambda spec, width: (
        pyg.PatchTransformerAggregation(width, width, PATCH, hidden_channels=width, heads=HEADS),
        width,
    ),
}
"""Name -> (spec, width) -> (the aggregation of ``width`` features, the size of what it gives)."""


def known_sorted(index: Int[Tensor, " nodes"] | None) -> None:
    """In place of PyG's own check, which reads the whole index back: ``ragged`` gives no other."""


class PyGAggregation(SetEncoder):
    """rho(aggregation of phi(x_i)), phi of one hidden layer, rho linear behind a ReLU.

    Args:
        spec: the sets.
        latent: size of the code.
        width: hidden width; for attention a multiple of 4.
        aggr: the aggregation's class name in ``torch_geometric.nn.aggr``, without "Aggregation".

    LSTM, GRU, LCM, MLP and PatchTransformer read the zeros behind a set as elements: each set is given
    ``spec.max_size`` places (rounded up to whole patches), so that neither padding nor the other sets of the batch
    change anything. They, by their own documentation, depend on the order. Sort keeps the ``max_size`` elements
    largest in its last feature; different elements that tie there come in the order given.

    Where we differ from the library: an empty set is never shown to the aggregation (some give NaN) and pools to 0;
    attention runs through torch's own arithmetic and no cuDNN kernel is used, since neither fused form has a second
    derivative; for Equilibrium see :class:`PerSetEquilibrium`.

    Raises:
        ValueError: where no aggregation has this name; where one of the five that depend on the order meets a set
            above ``spec.max_size``.
    """

    def __init__(self, spec: SetSpec, latent: int, width: int, aggr: str = "Mean") -> None:
        super().__init__(spec, latent)
        if aggr not in MAKERS:
            raise ValueError(f"no aggregation is called {aggr!r}; known: {', '.join(MAKERS)}")
        self.phi = mlp(spec.features, width, width)
        self.aggregation, self.pooled = MAKERS[aggr](spec, width)
        self.rho = nn.Sequential(nn.ReLU(), nn.Linear(self.pooled, latent))
        self.ordered = self.fixed_size = aggr in ("LSTM", "GRU", "LCM", "MLP", "PatchTransformer")
        places = -(-spec.max_size // PATCH) * PATCH if aggr == "PatchTransformer" else spec.max_size
        # MLPAggregation was told at construction how many places there are.
        self.places = {"max_num_elements": places} if self.ordered and aggr != "MLP" else {}
        self.dense = aggr in ("Sort", "SetTransformer", "GraphMultisetTransformer")
        vars(self.aggregation)["assert_sorted_index"] = known_sorted

    def forward(
        self, elements: Float[Tensor, "batch size features"], mask: Bool[Tensor, "batch size"]
    ) -> Float[Tensor, "batch latent"]:
        if all_real(mask):
            places = {"max_num_elements": mask.shape[1]} if self.dense else {}  # known: the library need not look
            return self.rho(self.pool(*ragged(elements, mask), len(mask), places))
        filled = mask.any(dim=1)
        nodes, owner = ragged(elements[filled], mask[filled])
        pooled = elements.new_zeros(len(mask), self.pooled)
        if len(nodes) > 0:
            found = self.pool(nodes, owner, int(filled.sum()), {})
            pooled = pooled.index_copy(0, filled.nonzero().squeeze(1), found)
        return self.rho(pooled)

    def pool(
        self,
        nodes: Float[Tensor, "nodes features"],
        owner: Int[Tensor, " nodes"],
        sets: int,
        places: Mapping[str, int],
    ) -> Float[Tensor, "sets pooled"]:
        """The aggregation of each set's elements; every set has some. ``places`` are told where they are known."""
        with sdpa_kernel(SDPBackend.MATH), torch.backends.cudnn.flags(enabled=False):
            pooled: Tensor = self.aggregation(self.phi(nodes), owner, dim_size=sets, **self.places, **places)
        return pooled
