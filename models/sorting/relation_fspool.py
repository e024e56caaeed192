"""DSPN's encoder for CLEVR (Zhang, Hare, Prügel-Bennett 2019): a relation network pooled by FSPool."""

from __future__ import annotations

from jaxtyping import Bool, Float
from torch import Tensor, nn

from models.interfaces import SetEncoder, SetSpec
from models.sorting.featurewise import FeaturewiseSortPool
from models.sorting.initial import xavier


class RelationFSPool(SetEncoder):
    """A two-layer network of every ordered pair of elements, i = j included, pooled featurewise over all pairs.

    With the CLEVR states and presence (19 features), width 512 and latent 512 it has 293,376 parameters: the paper's,
    less a linear layer of 512 x 512 that the authors' code holds and never uses.

    Args:
        spec: the sets.
        latent: size of the code, and channels that are sorted.
        width: hidden width of the pair network.
        pieces: pieces of the weight function.

    The paper divides by the number of pairs of the padded set (100): here by ``spec.max_size ** 2``, so that padding
    has no effect. Memory grows with the square of the set's size.
    """

    def __init__(self, spec: SetSpec, latent: int, width: int, pieces: int = 20) -> None:
        super().__init__(spec, latent)
        self.pair = xavier(nn.Linear(2 * spec.features, width))
        self.out = xavier(nn.Linear(width, latent))
        self.pool = FeaturewiseSortPool(latent, pieces)

    def forward(
        self, elements: Float[Tensor, "batch size features"], mask: Bool[Tensor, "batch size"]
    ) -> Float[Tensor, "batch latent"]:
        # W [x_i, x_j] = A x_i + B x_j: the first layer works on elements, not on pairs.
        first, second = self.pair.weight.split(self.spec.features, dim=1)
        left = nn.functional.linear(elements, first, self.pair.bias)
        right = nn.functional.linear(elements, second)
        hidden = (left[:, :, None] + right[:, None, :]).flatten(1, 2).relu()
        pairs = (mask[:, :, None] & mask[:, None, :]).flatten(1, 2)
        return self.pool(self.out(hidden), pairs) / self.spec.max_size**2
