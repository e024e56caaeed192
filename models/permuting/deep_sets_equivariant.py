"""Deep Sets' equivariant layer (Zaheer et al. 2017, equation 4 and section 3) and a stack of it as an encoder."""

from __future__ import annotations

from typing import Literal

from jaxtyping import Bool, Float
from torch import Tensor, nn

from setbench.models.interfaces import SetEncoder, SetLayer, SetSpec
from setbench.models.ops.layers import masked_max, masked_mean

POOLS = {"max": masked_max, "mean": masked_mean}


class DeepSetsLayer(SetLayer):
    """y_i = Gamma x_i - Lambda pool(X) + b, or, with one matrix for both, Gamma (x_i - pool(X)) + b.

    Args:
        features: numbers an element, before.
        out: numbers an element, after.
        pool: "max" or "mean", over the set.
        tied: Lambda = Gamma, as in the paper's point-cloud networks.
    """

    def __init__(self, features: int, out: int, pool: Literal["max", "mean"], tied: bool) -> None:
        super().__init__()
        self.pool = POOLS[pool]
        self.gamma = nn.Linear(features, out)
        self.lambda_ = None if tied else nn.Linear(features, out, bias=False)

    def forward(
        self, elements: Float[Tensor, "batch size features"], mask: Bool[Tensor, "batch size"]
    ) -> Float[Tensor, "batch size out"]:
        pooled = self.pool(elements, mask)[:, None]
        if self.lambda_ is None:
            return self.gamma(elements - pooled)
        return self.gamma(elements) - self.lambda_(pooled)


class DeepSetsEquivariant(SetEncoder):
    """A stack of equivariant layers with tanh behind each, a pool over the elements, and a linear map.

    Args:
        spec: the sets.
        latent: size of the code.
        width: of every layer.
        pool: "max" (the paper's point clouds) or "mean", in the layers and at the end.
        layers: how many; 3 as in the paper.
        tied: one matrix in a layer for elements and pool. That layer forgets where the set is as a whole, so the
            default is False; the paper's point clouds, which are centred, have True.

    Where we differ: no dropout; one linear layer in place of the classifier.
    """

    def __init__(
        self,
        spec: SetSpec,
        latent: int,
        width: int,
        pool: Literal["max", "mean"] = "max",
        layers: int = 3,
        tied: bool = False,
    ) -> None:
        super().__init__(spec, latent)
        if layers < 1:
            raise ValueError(f"deep_sets_equivariant needs at least one layer, not {layers}")
        self.layers = nn.ModuleList(
            DeepSetsLayer(width if depth else spec.features, width, pool, tied) for depth in range(layers)
        )
        self.pool = POOLS[pool]
        self.output = nn.Linear(width, latent)

    def forward(
        self, elements: Float[Tensor, "batch size features"], mask: Bool[Tensor, "batch size"]
    ) -> Float[Tensor, "batch latent"]:
        for layer in self.layers:
            elements = layer(elements, mask).tanh()
        return self.output(self.pool(elements, mask))
