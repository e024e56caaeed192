"""Encoders that end badly, each in its own way."""

from __future__ import annotations

import time

import torch
from torch import Tensor, nn

from setbench.models.interfaces import SetEncoder, SetSpec


class Raising(SetEncoder):
    """Cannot be built."""

    def __init__(self, spec: SetSpec, latent: int, width: int) -> None:
        raise RuntimeError("a made-up error")

    def forward(self, elements: Tensor, mask: Tensor) -> Tensor:
        raise NotImplementedError


class NanLoss(SetEncoder):
    """Its code is 0/0."""

    def __init__(self, spec: SetSpec, latent: int, width: int) -> None:
        super().__init__(spec, latent)
        self.linear = nn.Linear(spec.features, latent)

    def forward(self, elements: Tensor, mask: Tensor) -> Tensor:
        code = self.linear(elements.sum(dim=1))
        return code * 0 / (code.detach() * 0)


class Endless(NanLoss):
    """Does not come to an end."""

    def forward(self, elements: Tensor, mask: Tensor) -> Tensor:
        time.sleep(600)
        return super().forward(elements, mask)


class SlowWhenLarge(NanLoss):
    """From sets of 16 on a training step takes over two seconds."""

    def forward(self, elements: Tensor, mask: Tensor) -> Tensor:
        if self.training and elements.shape[1] >= 16:
            time.sleep(2.05)
        return super().forward(elements, mask)


class HungryWhenLarge(NanLoss):
    """From sets of 16 on it asks for a terabyte."""

    def forward(self, elements: Tensor, mask: Tensor) -> Tensor:
        if elements.shape[1] >= 16:
            torch.empty(2**40, dtype=torch.uint8)
        return super().forward(elements, mask)
