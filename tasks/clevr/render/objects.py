"""The objects of a batch of scenes as flat columns, the form that every step of drawing works on."""

from typing import NamedTuple

import torch
from torch import Tensor

from setbench.tasks.clevr.scenes import constants as c
from setbench.tasks.clevr.scenes.arrays import pick
from setbench.tasks.clevr.scenes.scenes import Scenes

SPHERE, CUBE, CYLINDER = range(3)  # the order of constants.SHAPES


class Objects(NamedTuple):
    """`count` real objects; padding is left out.

    scene, slot, shape: int64[count]; centre: [3, count]; radius, cos, sin: [count]; albedo: [3, count];
    metal: bool[count].
    """

    scene: Tensor
    slot: Tensor
    shape: Tensor
    centre: Tensor
    radius: Tensor
    cos: Tensor
    sin: Tensor
    albedo: Tensor
    metal: Tensor

    @classmethod
    def of(cls, scenes: Scenes, device: torch.device | str = "cpu") -> "Objects":
        def to(array: object, dtype: torch.dtype) -> Tensor:
            return torch.as_tensor(array, dtype=dtype, device=device)

        count = to(scenes.count, torch.int64)
        size = to(scenes.size, torch.int64)
        scene, slot = (torch.arange(size.shape[1], device=device) < count[:, None]).nonzero().unbind(1)
        angle = to(scenes.rotation, torch.float64)[scene, slot]
        return cls(
            scene,
            slot,
            to(scenes.shape, torch.int64)[scene, slot],
            to(scenes.position, torch.float32)[scene, slot].T.contiguous(),
            to(c.RADIUS, torch.float32)[size[scene, slot]],
            angle.cos().float(),
            angle.sin().float(),
            to(c.ALBEDO, torch.float32)[to(scenes.colour, torch.int64)[scene, slot]].T.contiguous(),
            to(scenes.material, torch.int64)[scene, slot] == c.MATERIALS.index("metal"),
        )

    def into(self, vectors: Tensor, owner: Tensor) -> Tensor:
        """Directions [3, ..., rays] of the world in the frame of object `owner[rays]`, whose radius is 1 there."""
        cos, sin, inverse = pick(self.cos, owner), pick(self.sin, owner), pick(self.radius, owner).reciprocal()
        x, y, z = vectors
        cos, sin = cos * inverse, sin * inverse
        return torch.stack([cos * x + sin * y, cos * y - sin * x, inverse * z])

    def place(self, points: Tensor, owner: Tensor) -> Tensor:
        """Points [3, ..., rays] of the world in the frame of their object."""
        centre = pick(self.centre, owner)
        return self.into(points - centre.view(3, *(1,) * (points.dim() - 2), -1), owner)

    def out(self, normals: Tensor, owner: Tensor) -> Tensor:
        """Unit vectors [3, rays] of an object's frame in the world."""
        cos, sin = pick(self.cos, owner), pick(self.sin, owner)
        x, y, z = normals
        return torch.stack([cos * x - sin * y, sin * x + cos * y, z])
