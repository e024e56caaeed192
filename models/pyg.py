"""Any set encoder as an aggregation of PyTorch Geometric: sets end to end, each point with the number of its set."""

from __future__ import annotations

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch_geometric.nn import Aggregation
from torch_geometric.utils import to_dense_batch

from setbench.models.interfaces import SetEncoder


class AsAggregation(Aggregation):
    """``AsAggregation(FSPool(spec, latent, width))(x, index)``, where PyG has ``MeanAggregation()(x, index)``.

    Args:
        encoder: built for sets of as many features as a point has.

    Sets are padded to the largest of the batch, which no encoder sees. Sets without points, up to ``dim_size``, get
    the code of the empty set.
    """

    def __init__(self, encoder: SetEncoder) -> None:
        super().__init__()
        self.encoder = encoder

    def forward(
        self,
        x: Float[Tensor, "points features"],
        index: Int[Tensor, " points"] | None = None,
        ptr: Int[Tensor, " sets_and_one"] | None = None,
        dim_size: int | None = None,
        dim: int = -2,
        max_num_elements: int | None = None,
    ) -> Float[Tensor, "sets latent"]:
        """The code of every set.

        Args:
            x: the points of all sets.
            index: the set of each point, sorted or not; without ``ptr`` and ``index`` all are one set.
            ptr: or where each set begins, and the last ends, in sorted points.
            dim_size: how many sets there are; by default the largest index and one.
            dim: of the points: the first alone.
            max_num_elements: sets are padded to this size at least; by default to the largest.

        Raises:
            ValueError: points that are not ``[points, features]``; what the encoder refuses.
        """
        self.assert_two_dimensional_input(x, dim)
        if ptr is not None:
            index = torch.arange(len(ptr) - 1, device=x.device).repeat_interleave(ptr.diff())
        elif index is None:
            index = torch.zeros(len(x), dtype=torch.long, device=x.device)
        index, order = index.sort(stable=True)
        if len(x) == 0:
            return self.encoder(x.new_zeros(dim_size or 0, 0, x.shape[1]))
        elements, mask = to_dense_batch(x[order], index, batch_size=dim_size)
        missing = (max_num_elements or 0) - mask.shape[1]
        if missing > 0:
            elements = torch.nn.functional.pad(elements, (0, 0, 0, missing))
            mask = torch.nn.functional.pad(mask, (0, missing))
        return self.encoder(elements, mask)

    def reset_parameters(self) -> None:
        self.encoder.reset_parameters()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.encoder})"
