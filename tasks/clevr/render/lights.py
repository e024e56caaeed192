"""Three square area lights and a sun: how brightly they light a point that nothing shades.

Each area light counts as a small square seen from afar: its irradiance is
W / pi * cos(at the light) * cos(at the surface) / d^2.
"""

import math

import torch
from torch import Tensor

from setbench.tasks.clevr.scenes import constants as c
from setbench.tasks.clevr.scenes.arrays import pick

#: radius of the disc as large as the square light; penumbrae are those of a disc
LIGHT_RADIUS = tuple(side / math.sqrt(math.pi) for side in c.LIGHT_SIDE)
SUN_RADIUS = math.tan(c.SUN_DIAMETER / 2)


class Lights:
    """The lights of a batch of scenes.

    Args:
        position: [scenes, 3 lights, 3], world units.
    """

    def __init__(self, position: Tensor) -> None:
        new = position.new_tensor
        self.position = position
        self._columns = position.permute(1, 2, 0).contiguous()
        sun = new(c.SUN_DIRECTION)
        self.sun = sun / sun.norm()
        #: [4 lights (the sun last), 3 channels]
        power = new(c.LIGHT_POWER)[:, None] / math.pi * new(c.LIGHT_COLOUR)
        self.colour = torch.cat([power, new([[c.SUN_IRRADIANCE] * 3])])

    def source(self, light: int, scene: Tensor) -> Tensor:
        """Positions [3, points] of an area light."""
        return pick(self._columns[light], scene)

    def towards(self, light: int, scene: Tensor, points: Tensor) -> Tensor:
        """Vectors [3, ..., points] from points [3, ..., points] to the light; unit vectors for the sun."""
        ones = (1,) * (points.dim() - 2)
        if light == 3:
            return self.sun.view(3, *ones, 1).expand_as(points)
        return self.source(light, scene).view(3, *ones, -1) - points

    def irradiance(self, light: int, scene: Tensor, points: Tensor, normals: Tensor) -> Tensor:
        """[points], to be multiplied by `colour[light]`; normals [3, points] are unit vectors."""
        if light == 3:
            return (normals * self.sun[:, None]).sum(0).clamp_min(0)
        source = self.source(light, scene)
        vector = source - points
        square = vector.square().sum(0)
        at_light = (vector * source).sum(0).clamp_min(0)  # all lights are aimed at the origin
        at_surface = (vector * normals).sum(0).clamp_min(0)
        return at_light * at_surface / (square.square() * source.square().sum(0).sqrt())
