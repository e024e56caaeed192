"""CLEVR's camera: an exact perspective, always aimed at the origin."""

import torch
from torch import Tensor

from setbench.tasks.clevr.scenes.constants import FOCAL, IMAGE_HEIGHT, IMAGE_WIDTH


class Camera:
    """The cameras of a batch of scenes, for pictures of `width` x `height` pixels.

    The field of view is that of the 480x320 original, whatever the size: a picture of another aspect is squeezed, as
    the set-prediction papers' resize to 128x128 does (focal lengths 140 and 210 pixels there).

    Args:
        position: [scenes, 3], world units.
    """

    def __init__(self, position: Tensor, width: int = IMAGE_WIDTH, height: int = IMAGE_HEIGHT) -> None:
        self.position, self.width, self.height = position, width, height
        self.fx = FOCAL * width
        self.fy = FOCAL * height * IMAGE_WIDTH / IMAGE_HEIGHT
        back = position / position.norm(dim=-1, keepdim=True)
        up = torch.tensor([0.0, 0.0, 1.0], dtype=position.dtype, device=position.device)
        right = torch.linalg.cross(up.expand_as(back), back)
        right = right / right.norm(dim=-1, keepdim=True)
        #: [scenes, 3 axes (right, up, back), 3]
        self.axes = torch.stack([right, torch.linalg.cross(back, right), back], dim=1)
        self._columns = torch.cat([self.axes.flatten(1), position], dim=1).T.contiguous()

    def project(self, points: Tensor) -> Tensor:
        """[scenes, ..., 3] in the world to [scenes, ..., 3]: column, row (0 at the outer edge of the first pixel) and
        depth along the optical axis, the numbers that CLEVR calls `pixel_coords` at 480x320."""
        shape = (len(self.position),) + (1,) * (points.dim() - 2) + (3,)
        x, y, z = torch.einsum("b...c,bac->b...a", points - self.position.view(shape), self.axes).unbind(-1)
        depth = -z
        return torch.stack([self.width / 2 + self.fx * x / depth, self.height / 2 - self.fy * y / depth, depth], dim=-1)

    def rays(self, scene: Tensor, column: Tensor, row: Tensor) -> Tensor:
        """Directions [3, rays] through continuous pixel coordinates, scaled so that a step of 1 is a depth of 1."""
        x = (column - self.width / 2) / self.fx
        y = (self.height / 2 - row) / self.fy
        right, up, back = self.axes_at(scene)
        return x * right + y * up - back

    def pictures(self) -> Tensor:
        """Directions [3, scenes, height, width] through all pixels' centres, scaled in the same way."""
        x = (torch.arange(self.width, device=self.position.device) + 0.5 - self.width / 2) / self.fx
        y = (self.height / 2 - torch.arange(self.height, device=self.position.device) - 0.5) / self.fy
        right, up, back = self.axes.permute(1, 2, 0)[..., None, None]
        return x * right + (y[:, None] * up - back)

    def position_at(self, scene: Tensor) -> Tensor:
        """[3, items]."""
        return self._columns[9:].index_select(1, scene)

    def axes_at(self, scene: Tensor) -> Tensor:
        """[3 axes, 3, items]."""
        return self._columns[:9].index_select(1, scene).view(3, 3, -1)
