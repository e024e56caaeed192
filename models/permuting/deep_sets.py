"""Deep Sets (Zaheer et al. 2017, theorem 2): pool a network of each element; Janossy pooling with k = 1."""

from __future__ import annotations

from typing import Literal

from jaxtyping import Bool, Float
from torch import Tensor, nn

from setbench.models.interfaces import SetEncoder, SetSpec
from setbench.models.ops.layers import masked_max, masked_mean, masked_sum, mlp


class DeepSets(SetEncoder):
    """rho(pool_i phi(x_i)).

    Args:
        spec: the sets.
        latent: size of the code.
        width: hidden width of phi and rho.
        pool: "sum" as in the theorem; "mean" (the default) keeps the scale where sizes vary; "max" is PointNet's.
        hidden: ReLU layers of phi, which has a linear one behind them; as many as Janossy's phi.

    With ``pool="mean"`` it is ``janossy:k=1`` on sets that are not empty, weight for weight.

    Where we differ: the paper's networks are task by task (one hidden layer for sums of digits, two for pictures of
    them); a ReLU stands between phi's linear layer and rho.

    Raises:
        ValueError: for no hidden layer.
    """

    def __init__(
        self, spec: SetSpec, latent: int, width: int, pool: Literal["sum", "mean", "max"] = "mean", hidden: int = 2
    ) -> None:
        super().__init__(spec, latent)
        if hidden < 1:
            raise ValueError(f"deep_sets: phi needs at least one hidden layer, not {hidden}")
        self.phi = mlp(spec.features, *[width] * (hidden + 1))
        self.rho = nn.Sequential(nn.ReLU(), nn.Linear(width, latent))
        self.pool = {"sum": masked_sum, "mean": masked_mean, "max": masked_max}[pool]

    def forward(
        self, elements: Float[Tensor, "batch size features"], mask: Bool[Tensor, "batch size"]
    ) -> Float[Tensor, "batch latent"]:
        return self.rho(self.pool(self.phi(elements), mask))
