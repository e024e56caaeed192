"""FSPool (Zhang, Hare, Prügel-Bennett 2020): featurewise sort pooling of a network of each element."""

from __future__ import annotations

from jaxtyping import Bool, Float
from torch import Tensor

from setbench.models.interfaces import SetEncoder, SetSpec
from setbench.models.ops.featurewise import FeaturewiseSortPool
from setbench.models.ops.initial import xavier
from setbench.models.ops.layers import channels_first, mlp


class FSPool(SetEncoder):
    """DSPN's encoder for set MNIST: three linear layers, FSPool over the elements, nothing after it.

    With ``spec.with_presence()`` of 2-d points, width 256 and latent 256 it has the paper's 137,984 parameters (139,010
    with DSPN's start).

    Args:
        spec: the sets.
        latent: size of the code, and channels that are sorted.
        width: hidden width of the element network.
        pieces: pieces of the weight function.

    The paper's encoder divides the features by the padded size of the set (342), which all its sets have: here by
    ``spec.max_size``, so that padding has no effect. What the paper does is the case of a mask that is all True.
    """

    def __init__(self, spec: SetSpec, latent: int, width: int, pieces: int = 20) -> None:
        super().__init__(spec, latent)
        self.phi = mlp(spec.features, width, width, latent)
        xavier(self.phi)
        self.pool = FeaturewiseSortPool(latent, pieces)

    def forward(
        self, elements: Float[Tensor, "batch size features"], mask: Bool[Tensor, "batch size"]
    ) -> Float[Tensor, "batch latent"]:
        values = channels_first(self.phi, elements.flatten(0, 1).T).unflatten(1, mask.shape)
        # Pooling is homogeneous, so it is the same to divide before it, as the paper does, or after.
        return self.pool.channels_first(values, mask) / self.spec.max_size
