"""Which pixels each object covers, and how much of each: rays only inside each object's own rectangle."""

from typing import NamedTuple

import torch
from torch import Tensor

from setbench.tasks.clevr.render.camera import Camera
from setbench.tasks.clevr.render.objects import CUBE, CYLINDER, SPHERE, Objects
from setbench.tasks.clevr.render.shapes import hard_entry, meet
from setbench.tasks.clevr.scenes.arrays import flat_ranges, length, pick
from setbench.tasks.clevr.scenes.constants import CUBE_FLAT, CYLINDER_ROUNDING

_CORNERS = torch.tensor([[x, y, z] for x in (-1.0, 1.0) for y in (-1.0, 1.0) for z in (-1.0, 1.0)]).T


class Rectangles(NamedTuple):
    """Half-open ranges of pixels, int64[objects] each."""

    left: Tensor
    top: Tensor
    right: Tensor
    bottom: Tensor

    @classmethod
    def around(cls, projected: Tensor, pad: Tensor | float, camera: Camera) -> "Rectangles":
        """Smallest ranges that hold the projected points [objects, points, >=2] and a margin, inside the picture."""
        column, row = projected[..., 0], projected[..., 1]
        return cls(
            (column.amin(1) - pad).floor().clamp(0, camera.width).long(),
            (row.amin(1) - pad).floor().clamp(0, camera.height).long(),
            (column.amax(1) + pad).ceil().clamp(0, camera.width).long(),
            (row.amax(1) + pad).ceil().clamp(0, camera.height).long(),
        )

    def pixels(self) -> tuple[Tensor, Tensor, Tensor]:
        """Every pixel of every rectangle: owner, column, row, int64[pixels]."""
        width, height = self.right - self.left, self.bottom - self.top
        owner, local = flat_ranges(width * height)
        wide = pick(width, owner)
        line = torch.div(local, wide, rounding_mode="floor")
        return owner, pick(self.left, owner) + local - line * wide, pick(self.top, owner) + line

    def tiles(self, size: int) -> tuple[Tensor, Tensor, Tensor]:
        """Squares of `size` pixels a side, on a common grid, that hold every pixel of every rectangle: owner, first
        column, first row, int64[tiles]."""
        least = Rectangles(
            *(torch.div(side, size, rounding_mode="floor") for side in self[:2]),
            *(torch.div(side + size - 1, size, rounding_mode="floor") for side in self[2:]),
        )
        owner, column, row = least.pixels()
        return owner, column * size, row * size


def project(camera: Camera, scene: Tensor, points: Tensor) -> Tensor:
    """Points [objects, points, 3] of scenes [objects], projected to column, row, depth."""
    local = torch.einsum("kpc,kac->kpa", points - camera.position[scene][:, None], camera.axes[scene])
    depth = (-local[..., 2]).clamp_min(0.5)  # a shadow may reach behind the camera
    return torch.stack(
        [
            camera.width / 2 + camera.fx * local[..., 0] / depth,
            camera.height / 2 - camera.fy * local[..., 1] / depth,
            depth,
        ],
        dim=-1,
    )


def corners(objects: Objects) -> Tensor:
    """The eight corners [objects, 8, 3] of each object's box."""
    unit = _CORNERS.to(objects.centre)[:, :, None] * objects.radius
    turned = torch.stack(
        [objects.cos * unit[0] - objects.sin * unit[1], objects.sin * unit[0] + objects.cos * unit[1], unit[2]]
    )
    return (objects.centre[:, None] + turned).permute(2, 1, 0)


class Fragments(NamedTuple):
    """One item for every object and every pixel that it touches; the rays are through pixel centres.

    owner, pixel: int64[items] (pixel counts on through the scenes); clearance: least distance of the ray from the
    object, world units; depth: of the entry or the closest approach; normal, direction: [3, items], world; cover: the
    part of the pixel covered, 0 to 1.
    """

    owner: Tensor
    pixel: Tensor
    clearance: Tensor
    depth: Tensor
    normal: Tensor
    direction: Tensor
    cover: Tensor

    def take(self, index: Tensor) -> "Fragments":
        return Fragments(*(pick(x, index) for x in self))

    def join(self, other: "Fragments") -> "Fragments":
        return Fragments(*(torch.cat(both, dim=-1) for both in zip(self, other, strict=True)))


def fragments(objects: Objects, camera: Camera) -> Fragments:
    """All objects' pixels; those that an object does not touch are left out.

    Coverage is that of a straight edge under a triangular filter two pixels wide: how PIL's bilinear resize, which the
    papers' loaders use, shrinks the 480x320 originals.
    """
    box = Rectangles.around(project(camera, objects.scene, corners(objects)), 1.0, camera)
    everyone = torch.arange(len(objects.scene), device=objects.scene.device)
    eye = objects.place(camera.position_at(objects.scene), everyone)
    wide = 1 / min(camera.fx, camera.fy)  # of a pixel, at a depth of 1
    less = 1 / (1 + 1.5 * wide * (length(eye) + 2))  # what misses the sharp shape so much larger is over a pixel off
    parts = []
    for shape in range(3):
        chosen = (objects.shape == shape).nonzero()[:, 0]
        owner, column, row = Rectangles(*(side[chosen] for side in box)).pixels()
        owner = pick(chosen, owner)
        direction = camera.rays(pick(objects.scene, owner), column + 0.5, row + 0.5)
        origin, local = pick(eye, owner), objects.into(direction, owner)
        near = (hard_entry(shape, origin * pick(less, owner), local * pick(less, owner))[0] < torch.inf).nonzero()[:, 0]
        owner, column, row, origin, local, direction = (
            pick(x, near) for x in (owner, column, row, origin, local, direction)
        )
        radius = pick(objects.radius, owner)
        clearance, depth, normal = meet(shape, origin, local)
        clearance = clearance * radius
        near = (clearance < 1.5 * wide * depth).nonzero()[:, 0]
        owner, clearance, depth = pick(owner, near), pick(clearance, near), pick(depth, near)
        scene = pick(objects.scene, owner)
        normal = objects.out(pick(normal, near), owner)
        right, up, _ = camera.axes_at(scene)
        across = (right * normal).sum(0) / camera.fx
        along = (up * normal).sum(0) / camera.fy
        pixel_width = depth * (across.square() + along.square()).sqrt()
        x = (-clearance / pixel_width.clamp_min(1e-6)).clamp(-1, 1)
        cover = 0.5 + x - 0.5 * x * x.abs()
        pixel = (scene * camera.height + pick(row, near)) * camera.width + pick(column, near)
        parts.append(Fragments(owner, pixel, clearance, depth, normal, pick(direction, near), cover))
    return Fragments(*(torch.cat(columns, dim=-1) for columns in zip(*parts, strict=True)))


def near_rims(items: Fragments, objects: Objects, camera: Camera) -> Tensor:
    """Items of cubes and cylinders at whose pixel the surface turns round an edge: one ray says too little there."""
    scene = pick(objects.scene, items.owner)
    points = camera.position_at(scene) + items.depth * items.direction
    place = objects.place(points, items.owner).abs()
    shape = pick(objects.shape, items.owner)
    pixel = items.depth / min(camera.fx, camera.fy) / pick(objects.radius, items.owner)
    flat = torch.where(shape == CUBE, CUBE_FLAT, 1 - CYLINDER_ROUNDING) - pixel
    radial = (place[0].square() + place[1].square()).sqrt()
    sides = torch.where(shape == CUBE, (place[:2] > flat).sum(0), (radial > flat).long())
    return (shape != SPHERE) & (sides + (place[2] > flat) > 1)


_OFFSETS = ((-0.375, -0.125), (0.125, -0.375), (-0.125, 0.375), (0.375, 0.125))  # a turned square


def closer(items: Fragments, objects: Objects, camera: Camera) -> Fragments:
    """The same items four times over, with rays spread over their pixels; `cover` is 1 for a hit, else next to 0."""
    owner = items.owner.repeat(4)
    pixel = items.pixel.repeat(4)
    offset = items.depth.new_tensor(_OFFSETS).repeat_interleave(len(items.owner), 0)
    column = pixel % camera.width + 0.5 + offset[:, 0]
    row = torch.div(pixel, camera.width, rounding_mode="floor") % camera.height + 0.5 + offset[:, 1]
    scene = pick(objects.scene, owner)
    direction = camera.rays(scene, column, row)
    origin = objects.place(camera.position_at(scene), owner)
    local = objects.into(direction, owner)
    clearance, depth, normal = torch.empty_like(column), torch.empty_like(column), torch.empty_like(direction)
    for shape in (CUBE, CYLINDER):
        index = (pick(objects.shape, owner) == shape).nonzero()[:, 0]
        clearance[index], depth[index], normal[:, index] = meet(shape, pick(origin, index), pick(local, index))
    cover = torch.where(clearance < 0, 1.0, 1e-3)
    return Fragments(owner, pixel, clearance, depth, objects.out(normal, owner), direction, cover)


def layers(items: Fragments) -> tuple[Tensor, Tensor, Tensor]:
    """Front-to-back order at each pixel: the items sorted, their place in their pixel (0 in front), and how much of
    each is seen past those before it."""
    order = items.depth.argsort(stable=True)
    order = order[items.pixel[order].argsort(stable=True)]
    pixel, cover = items.pixel[order], items.cover[order]
    position = torch.arange(len(order), device=order.device)
    first = torch.ones_like(pixel, dtype=torch.bool)
    first[1:] = pixel[1:] != pixel[:-1]
    rank = position - torch.where(first, position, 0).cummax(0).values
    weight, before = cover.clone(), torch.ones_like(cover)
    for k in range(1, int(rank.max()) + 1 if len(rank) else 0):
        index = (rank == k).nonzero()[:, 0]
        before[index] = before[index - 1] * (1 - cover[index - 1])
        weight[index] = cover[index] * before[index]
    return order, rank, weight
