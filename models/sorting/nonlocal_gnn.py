"""Non-Local GNN (Liu, Wang, Ji 2021): sort by attention to one learned vector, convolve along the order, unsort."""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from setbench.models.interfaces import SetEncoder, SetLayer, SetSpec
from setbench.models.ops.layers import masked_mean, mlp
from setbench.models.ops.ordering import gather, order_by


class NonLocalLayer(SetLayer):
    """Far elements of a set, or nodes of a graph, become neighbours where their scores are alike.

    Sort ascending by a learned linear score s, ties by content; convolve the rows s_i x_i twice, a ReLU between; put
    the result back in the order of the input. The zeros that stand at both ends of the convolution are part of the
    model. The score has a gradient only as the factor s_i: none says when two elements should change places.

    Args:
        width: features of an element, in and out.
        kernel: length of both convolutions; odd. The paper uses 5, and 3 for the smallest graphs.
    """

    def __init__(self, width: int, kernel: int) -> None:
        super().__init__()
        if kernel < 1 or kernel % 2 == 0:
            raise ValueError(f"the kernel must be odd, not {kernel}")
        self.score = nn.Linear(width, 1)
        self.first = nn.Conv1d(width, width, kernel, padding=kernel // 2)
        self.second = nn.Conv1d(width, width, kernel, padding=kernel // 2)

    def forward(
        self, elements: Float[Tensor, "batch size width"], mask: Bool[Tensor, "batch size"]
    ) -> Float[Tensor, "batch size width"]:
        scores = self.score(elements)
        order = order_by(scores.squeeze(-1), elements, mask)
        padding = ~mask.take_along_dim(order, dim=1)[:, None]
        rows = gather(scores * elements, order).transpose(1, 2)
        hidden = self.first(rows.masked_fill(padding, 0)).relu()
        convolved = self.second(hidden.masked_fill(padding, 0)).transpose(1, 2)
        return gather(convolved, order.argsort(dim=1))


class NonLocalGNN(SetEncoder):
    """x1 = phi(x), x2 = the non-local layer of x1, mean over i of a layer of [x1_i, x2_i].

    Args:
        spec: the sets.
        latent: size of the code.
        width: width throughout.
        kernel: length of the convolutions; odd.

    Where we differ: the paper classifies nodes by a linear layer of [x1_i, x2_i] and has no code of the whole; here a
    ReLU, a mean and a linear layer follow. Its backbone is an MLP (the paper's NLMLP; NLGCN and NLGAT need a graph).
    """

    def __init__(self, spec: SetSpec, latent: int, width: int, kernel: int = 5) -> None:
        super().__init__(spec, latent)
        self.phi = mlp(spec.features, width, width)
        self.layer = NonLocalLayer(width, kernel)
        self.join = nn.Linear(2 * width, width)
        self.out = nn.Linear(width, latent)

    def forward(
        self, elements: Float[Tensor, "batch size features"], mask: Bool[Tensor, "batch size"]
    ) -> Float[Tensor, "batch latent"]:
        near = self.phi(elements)
        joined = self.join(torch.cat([near, self.layer(near, mask)], dim=-1))
        return self.out(masked_mean(joined.relu(), mask))
