"""What encoders and decoders know of how they were built: they show it, and can begin again."""

from __future__ import annotations

from typing import Any

from torch import nn

from setbench.models.signature import given
from setbench.specs import SetSpec


class SetModule(nn.Module):
    """A module built as ``Class(spec, latent, width, **options)``."""

    built_with: tuple[tuple[Any, ...], dict[str, Any]]
    """The arguments of the constructor."""

    def __new__(cls, *args: Any, **kwargs: Any) -> SetModule:
        made = super().__new__(cls)
        object.__setattr__(made, "built_with", (args, kwargs))
        return made

    def __init__(self, spec: SetSpec, latent: int) -> None:
        super().__init__()
        self.spec = spec
        self.latent = latent

    def extra_repr(self) -> str:
        """``features=2, max_size=10, latent=64, width=128, pieces=20``: all sizes and options that are plain values."""
        args, kwargs = self.built_with
        values: list[tuple[str, Any]] = [("features", self.spec.features), ("max_size", self.spec.max_size)]
        if self.spec.positions is not None:
            values.append(("positions", self.spec.positions))
        own = {"latent": self.latent} | given(type(self), args, kwargs)  # an option may be called positions too
        return ", ".join(
            f"{name}={value}" for name, value in (*values, *own.items()) if not isinstance(value, (SetSpec, nn.Module))
        )
