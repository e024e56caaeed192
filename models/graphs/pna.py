"""Principal neighbourhood aggregation (Corso et al. 2020, equation 8) through ``torch_geometric.nn.PNAConv``."""

from __future__ import annotations

import torch
from torch import nn
from torch_geometric.nn import PNAConv

from setbench.models.graphs.network import GraphNetwork

AGGREGATORS = ["mean", "min", "max", "std"]
SCALERS = ["identity", "amplification", "attenuation"]


class PNA(GraphNetwork):
    """h_i <- U[h_i, (mean, min, max, deviation over j of M[h_i, h_j, e_ij]) times (1, log-degree, its inverse)].

    Where we differ: the scalers' mean log-degree is that of the training graphs in the paper; here it is that of the
    spec, with every set size up to ``max_size`` equally frequent, so that building a model reads no data.
    """

    edge_features = True

    def convolution(self, width: int, edge_width: int) -> nn.Module:
        return PNAConv(width, width, AGGREGATORS, SCALERS, deg=self.degrees(), edge_dim=edge_width)

    def degrees(self) -> torch.Tensor:
        """How many nodes have each degree, over one set of each size: a set of n gives n nodes of degree n - 1."""
        counts = [0.0] * max(2, self.spec.max_size)
        for size in range(2, max(2, self.spec.max_size) + 1):
            degree = size - 1 if self.graph == "complete" else min(size - 1, self.neighbours)
            counts[degree] += size
        return torch.tensor(counts[: max(d for d, count in enumerate(counts) if count) + 1])
