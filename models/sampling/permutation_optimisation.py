"""Permutation optimisation (Zhang et al. 2019b): descend on the cost of an order, then read the set in it."""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from setbench.models.interfaces import SetEncoder, SetSpec
from setbench.models.ops.layers import SplitLinear, compact, in_chunks
from setbench.models.ops.sequence import SequenceLSTM
from setbench.models.ops.sinkhorn import arrange, sinkhorn


def ordering_slope(
    costs: Float[Tensor, "batch size size"], permutation: Float[Tensor, "batch size size"]
) -> Float[Tensor, "batch size size"]:
    """The derivative in P of the total cost of an order.

    The cost is the sum over elements i, j and positions k < l of (C_ij - C_ji) P_ik P_jl: with C antisymmetric, 2 C_ij
    for every i that stands before a j. Its derivative is 2 C (after - before), where ``after`` sums the later positions
    of each row of P and ``before`` the earlier ones.
    """
    through = permutation.cumsum(dim=2)
    after = through[..., -1:] - through
    before = through - permutation
    return 2 * costs @ (after - before)


class PermutationOptimisation(SetEncoder):
    """A linear map of an LSTM's last state over P^T X, where P has descended on a learned pairwise ordering cost.

    C_ij = f(x_i, x_j) - f(x_j, x_i), divided by its norm, is the cost of i standing before j. From equal chances for
    every order, P takes gradient steps on the logits, each followed by Sinkhorn's algorithm. Exactly invariant: costs
    permute with the elements.

    Args:
        spec: the sets.
        latent: size of the code.
        width: hidden width of f and of the LSTM.
        steps: of descent; the paper has 6 to sort numbers and 4 for mosaics. Their size is learned, 1 at first.

    Where we differ: the norm of C has 1e-3 added in quadrature, so that equal elements have derivatives.
    """

    rounds = 4  # of Sinkhorn's algorithm, after each step

    def __init__(self, spec: SetSpec, latent: int, width: int, steps: int = 4) -> None:
        super().__init__(spec, latent)
        if steps < 1:
            raise ValueError(f"permutation_optimisation takes at least one step, not {steps}")
        self.steps = steps
        self.step_size = nn.Parameter(torch.ones(()))
        self.pair = SplitLinear(2, spec.features, width)
        self.score = nn.Linear(width, 1, bias=False)
        self.net = SequenceLSTM(spec, latent, width)

    def forward(
        self, elements: Float[Tensor, "batch size features"], mask: Bool[Tensor, "batch size"]
    ) -> Float[Tensor, "batch latent"]:
        elements, mask = compact(elements, mask)
        return self.net(arrange(self.permutation(elements, mask), elements), mask)

    def permutation(
        self, elements: Float[Tensor, "batch size features"], mask: Bool[Tensor, "batch size"]
    ) -> Float[Tensor, "batch size size"]:
        """The soft permutation after the last step."""
        costs = self.costs(elements, mask)
        logits = torch.zeros_like(costs)
        permutation = sinkhorn(logits, mask, self.rounds)
        for _ in range(self.steps):
            logits = logits - self.step_size.abs() * ordering_slope(costs, permutation)
            permutation = sinkhorn(logits, mask, self.rounds)
        return permutation

    def costs(
        self, elements: Float[Tensor, "batch size features"], mask: Bool[Tensor, "batch size"]
    ) -> Float[Tensor, "batch size size"]:
        """C, antisymmetric, zero where padding is concerned."""
        left, right = self.pair(elements)
        left = left + self.pair.bias

        def rows(start: int, stop: int) -> Tensor:
            return self.score((left[:, start:stop, None] + right[:, None]).relu()).squeeze(3)

        scores = in_chunks(rows, mask.shape[1], right.numel(), "cat")
        costs = (scores - scores.transpose(1, 2)).masked_fill(~(mask[:, :, None] & mask[:, None]), 0)
        return costs / (costs.square().sum(dim=(1, 2), keepdim=True) + 1e-6).sqrt()
