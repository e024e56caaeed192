"""Elements in a soft order: a network says of each element at which position it should stand."""

from __future__ import annotations

from jaxtyping import Bool, Float
from torch import Tensor, nn

from setbench.models.interfaces import SetSpec
from setbench.models.ops.layers import mlp
from setbench.models.ops.sinkhorn import arrange, sinkhorn


class SoftOrder(nn.Module):
    """P^T X, where row i of log P is an MLP of x_i, made doubly stochastic by Sinkhorn's algorithm.

    Without noise it is invariant: permuting the elements permutes the rows of P with them.

    Args:
        spec: the sets; there are ``max_size`` positions.
        width: hidden width of the MLP.
        temperature: the lower, the nearer P is to a permutation.
        rounds: of Sinkhorn's algorithm.
    """

    def __init__(self, spec: SetSpec, width: int, temperature: float, rounds: int) -> None:
        super().__init__()
        if temperature <= 0:
            raise ValueError(f"a temperature is above 0, not {temperature}")
        self.temperature = temperature
        self.rounds = rounds
        self.positions = mlp(spec.features, width, spec.max_size)

    def forward(
        self,
        elements: Float[Tensor, "batch max_size features"],
        mask: Bool[Tensor, "batch max_size"],
        noise: Float[Tensor, "samples batch max_size max_size"] | None = None,
    ) -> Float[Tensor, "... batch max_size features"]:
        """With noise on the logits, one arrangement for each of its samples."""
        logits = self.positions(elements)
        if noise is not None:
            logits, mask = logits + noise, mask.expand(len(noise), -1, -1)
        return arrange(sinkhorn(logits / self.temperature, mask, self.rounds), elements)


def slots(
    elements: Float[Tensor, "batch size features"], mask: Bool[Tensor, "batch size"], count: int
) -> tuple[Float[Tensor, "batch count features"], Bool[Tensor, "batch count"]]:
    """Sets whose real elements stand in front, cut or padded to ``count`` slots.

    Raises:
        ValueError: a set has more than ``count`` elements.
    """
    spare = count - mask.shape[1]
    if spare < 0 and mask[:, count:].any():
        raise ValueError(f"built for sets of at most {count} elements, not {int(mask.sum(dim=1).max())}")
    return nn.functional.pad(elements, (0, 0, 0, spare)), nn.functional.pad(mask, (0, spare))
