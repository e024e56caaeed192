"""PointNet++ (Qi et al. 2017b): PointNets of neighbourhoods around points that are far from one another."""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from setbench.models.interfaces import SetEncoder, SetSpec
from setbench.models.ops.by_content import by_content
from setbench.models.ops.layers import masked_max, mlp
from setbench.models.ops.neighbours import nearest


@torch.no_grad()
def farthest_points(
    points: Float[Tensor, "batch size axes"], mask: Bool[Tensor, "batch size"], count: int
) -> Int[Tensor, "batch count"]:
    """Farthest-point sampling: the point farthest from the centroid, then again and again the one farthest from those
    taken. Of points equally far the first is taken: with the sets in the order of their content, a function of the set.
    """
    points = points.masked_fill(~mask[..., None], 0)
    # A running sum, since zeros behind it change nothing: rounding alone could otherwise decide between equals.
    centroid = points.cumsum(dim=1)[:, -1] / mask.sum(dim=1, keepdim=True).clamp(min=1)
    taken = [(points - centroid[:, None]).square().sum(dim=2).masked_fill(~mask, -1).argmax(dim=1)]
    distance = points.new_full(mask.shape, float("inf"))
    for _ in range(count - 1):
        last = points.take_along_dim(taken[-1][:, None, None], dim=1)
        distance = torch.minimum(distance, (points - last).square().sum(dim=2))
        taken.append(distance.masked_fill(~mask, -1).argmax(dim=1))
    return torch.stack(taken, dim=1)


class SetAbstraction(nn.Module):
    """One level: every so-many-th point as a centre, and the maximum of a network over each centre's neighbours.

    Args:
        axes: coordinates a point.
        features: other numbers a point.
        width: numbers a centre.
        stride: a set of n points keeps n / stride centres, rounded up.
        neighbours: the centre itself and the nearest others, so many together.
    """

    def __init__(self, axes: int, features: int, width: int, stride: int, neighbours: int) -> None:
        super().__init__()
        self.stride = stride
        self.neighbours = neighbours
        self.network = nn.Sequential(mlp(axes + features, width, width), nn.ReLU())

    def forward(
        self,
        points: Float[Tensor, "batch size axes"],
        features: Float[Tensor, "batch size features"],
        mask: Bool[Tensor, "batch size"],
    ) -> tuple[Float[Tensor, "batch count axes"], Float[Tensor, "batch count width"], Bool[Tensor, "batch count"]]:
        """Centres, what was found around them, and which of them are real."""
        count = -(-mask.shape[1] // self.stride)
        chosen = farthest_points(points, mask, count)
        kept = (
            torch.arange(count, device=mask.device) < (mask.sum(dim=1, keepdim=True) + self.stride - 1) // self.stride
        )
        centres = points.take_along_dim(chosen[..., None], dim=1)

        others, real = nearest(points, mask, self.neighbours - 1)
        others, real = others.take_along_dim(chosen[..., None], dim=1), real.take_along_dim(chosen[..., None], dim=1)
        around = torch.cat([chosen[..., None], others], dim=2)
        real = torch.cat([kept[..., None], real & kept[..., None]], dim=2)

        values = torch.cat([points, features], dim=2).take_along_dim(around.flatten(1)[..., None], dim=1)
        values = values.unflatten(1, around.shape[1:])
        offset = nn.functional.pad(centres, (0, features.shape[2]))[:, :, None]  # coordinates relative to the centre
        found = masked_max(self.network(values - offset).flatten(0, 1), real.flatten(0, 1))
        return centres, found.unflatten(0, kept.shape), kept


class PointNetPlusPlus(SetEncoder):
    """Two levels of set abstraction (a half, then an eighth of the points), then a PointNet of what is left.

    Exactly invariant: the elements are first put in the order of their content, so that sampling and neighbourhoods
    are functions of the set, ties included.

    Args:
        spec: the sets, with positions.
        latent: size of the code.
        width: hidden width everywhere (the paper: 64 to 1024).
        neighbours: points in a neighbourhood, its centre included (the paper: at most 32 and 64 within a radius).

    Raises:
        ValueError: where the sets have no positions.

    Where we differ: sampling starts farthest from the centroid, not at the first point of the input, and a
    neighbourhood is the nearest points, not the first few within a radius, since both would depend on the order; no
    batch normalisation.
    """

    def __init__(self, spec: SetSpec, latent: int, width: int, neighbours: int = 16) -> None:
        super().__init__(spec, latent)
        if spec.positions is None:
            raise ValueError("pointnet_plus_plus needs sets whose elements have positions")
        first, stop, _ = spec.positions.indices(spec.features)
        axes = stop - first
        self.parts = (first, axes, spec.features - stop)
        self.first = SetAbstraction(axes, spec.features - axes, width, stride=2, neighbours=neighbours)
        self.second = SetAbstraction(axes, width, width, stride=4, neighbours=neighbours)
        self.last = nn.Sequential(mlp(axes + width, width, width), nn.ReLU())
        self.rho = mlp(width, width, latent)

    def forward(
        self, elements: Float[Tensor, "batch size features"], mask: Bool[Tensor, "batch size"]
    ) -> Float[Tensor, "batch latent"]:
        elements, mask = by_content(elements, mask)
        before, points, after = elements.split(self.parts, dim=2)
        features = torch.cat([before, after], dim=2)
        for level in (self.first, self.second):
            points, features, mask = level(points, features, mask)
        return self.rho(masked_max(self.last(torch.cat([points, features], dim=2)), mask))
