"""PointNet (Qi et al. 2017a): the maximum over a network of each point, with or without transform nets."""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from setbench.models.interfaces import SetEncoder, SetSpec
from setbench.models.ops.layers import masked_max, mlp


class TransformNet(nn.Module):
    """A matrix for each set, by a small PointNet of its own; the identity before training.

    Args:
        features: the matrix is ``features x features``.
        width: hidden width.
    """

    def __init__(self, features: int, width: int) -> None:
        super().__init__()
        self.phi = nn.Sequential(mlp(features, width, width), nn.ReLU())
        self.rho = nn.Sequential(nn.Linear(width, width), nn.ReLU())
        self.matrix = nn.Linear(width, features * features)
        with torch.no_grad():
            self.matrix.weight.zero_()
            self.matrix.bias.copy_(torch.eye(features).flatten())

    def forward(
        self, elements: Float[Tensor, "batch size features"], mask: Bool[Tensor, "batch size"]
    ) -> Float[Tensor, "batch features features"]:
        matrix = self.matrix(self.rho(masked_max(self.phi(elements), mask)))
        return matrix.unflatten(1, (elements.shape[2], elements.shape[2]))


class PointNet(SetEncoder):
    """gamma(max_i h(x_i)).

    Args:
        spec: the sets.
        latent: size of the code.
        width: hidden width everywhere (the paper: 64, 128 and 1024).
        transforms: multiply the coordinates, and later the features, of a set by a matrix made from the set. Where the
            sets have no positions all features are coordinates. False is the paper's "basic" network.

    Where we differ: no batch normalisation (padding would leak through it, and its statistics would move inside DSPN's
    loop); one width; no loss that draws the feature transform towards an orthogonal matrix.
    """

    def __init__(self, spec: SetSpec, latent: int, width: int, transforms: bool = False) -> None:
        super().__init__(spec, latent)
        first, stop, _ = (spec.positions or slice(None)).indices(spec.features)
        self.parts = (first, stop - first, spec.features - stop)
        self.input_transform = TransformNet(stop - first, width) if transforms else None
        self.feature_transform = TransformNet(width, width) if transforms else None
        self.points = nn.Sequential(mlp(spec.features, width, width), nn.ReLU())
        self.features = nn.Sequential(mlp(width, width, width), nn.ReLU())
        self.gamma = mlp(width, width, latent)

    def forward(
        self, elements: Float[Tensor, "batch size features"], mask: Bool[Tensor, "batch size"]
    ) -> Float[Tensor, "batch latent"]:
        if self.input_transform is not None:
            before, positions, after = elements.split(self.parts, dim=2)
            positions = positions @ self.input_transform(positions, mask)
            elements = torch.cat([before, positions, after], dim=2)
        hidden = self.points(elements)
        if self.feature_transform is not None:
            hidden = hidden @ self.feature_transform(hidden, mask)
        return self.gamma(masked_max(self.features(hidden), mask))
