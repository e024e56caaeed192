"""The two materials and the floor: radiance towards the camera, linear RGB [3, points]."""

import math

import torch
from torch import Tensor

from tasks.clevr.camera import Camera
from tasks.clevr.constants import FLOOR_ALBEDO, FLOOR_S
from tasks.clevr.floor import floor_hit
from tasks.clevr.lights import LIGHT_RADIUS, SUN_RADIUS, Lights
from tasks.clevr.objects import CUBE, CYLINDER, SPHERE, Objects
from tasks.clevr.shapes import hard_entry

# Calibrated against the official scene's renders with known camera and lights.
FLOOR_INDIRECT = (0.0134, 0.0009)  # radiance that the floor gets from the rest of itself: at s = -14, and its slope
INDIRECT_COLOUR = (0.982, 1.0, 0.974)
MIRROR, GLOSS = 0.6, 0.4  # metal: a mirror, and a GGX lobe of this alpha, both tinted
GLOSS_ALPHA = 0.2
FLOOR_SEEN = 0.75  # how much of the floor below an object is not in its own shadow
SHEEN, SHEEN_LOSS = 0.05, 0.2  # rubber's rim
GLOSS_RAYS, GLOSS_TILT = 3, 0.17


def direct(lights: Lights, scene: Tensor, points: Tensor, normals: Tensor, hidden: Tensor | None) -> Tensor:
    """Irradiance [3, points] of the four lights; `hidden` [4 lights, points] says how much of each is not seen."""
    each = torch.stack([lights.irradiance(light, scene, points, normals) for light in range(4)])
    if hidden is not None:
        each = each * (1 - hidden)
    return lights.colour.T @ each


def floor_radiance(lights: Lights, scene: Tensor, points: Tensor, normals: Tensor, hidden: Tensor | None) -> Tensor:
    """The floor is diffuse; what it gets from itself grows towards the curve behind."""
    sx, sy, s0 = FLOOR_S
    s = (sx * points[0] + sy * points[1] + s0 + 14).clamp(-10, 16)
    bounced = points.new_tensor(INDIRECT_COLOUR)[:, None] * (FLOOR_INDIRECT[0] + FLOOR_INDIRECT[1] * s)
    return FLOOR_ALBEDO / math.pi * direct(lights, scene, points, normals, hidden) + bounced


class Surroundings:
    """What a ray that leaves an object sees: the floor (with its shadows, where the picture shows them), the other
    objects, the black room.

    Args:
        floor: [scenes, 3, height, width], radiance of the bare floor with the objects' shadows on it.
    """

    def __init__(self, objects: Objects, lights: Lights, camera: Camera, floor: Tensor) -> None:
        self.objects, self.lights, self.camera, self.floor = objects, lights, camera, floor
        base = objects.centre.clone()
        base[2] = 0
        up = torch.zeros_like(base)
        up[2] = 1
        #: [3, objects], radiance of the lit floor under each object
        self.under = floor_radiance(lights, objects.scene, base, up, None)

    def diffuse(self, owner: Tensor, points: Tensor, normals: Tensor, hidden: Tensor | None) -> Tensor:
        """Lambert, lit by the lights and by the floor around."""
        light = direct(self.lights, self.objects.scene[owner], points, normals, hidden) / math.pi
        bounced = FLOOR_SEEN * self.under[:, owner] * (0.5 - 0.5 * normals[2])
        return self.objects.albedo[:, owner] * (light + bounced)

    def seen(self, owner: Tensor, points: Tensor, directions: Tensor) -> Tensor:
        """Radiance [3, rays] that comes back along rays from points [3, rays] on objects `owner`."""
        out = self._floor(self.objects.scene[owner], points, directions)
        ray, other, t, normal = self._nearest(owner, points, directions)
        start, way = points[:, ray], directions[:, ray]
        at = start + t * way
        colour = self.diffuse(other, at, normal, None)
        mirror = self.objects.metal[other].nonzero()[:, 0]
        if len(mirror):
            way, normal = way[:, mirror], normal[:, mirror]
            way = way - 2 * (way * normal).sum(0) * normal
            who = other[mirror]
            colour[:, mirror] = self.objects.albedo[:, who] * self._floor(self.objects.scene[who], at[:, mirror], way)
        out[:, ray] = colour
        return out

    def bending(self, owner: Tensor, points: Tensor, normals: Tensor) -> Tensor:
        """By how much the normal turns along the surface [points], 1 / length (geometric mean of both directions)."""
        shape, radius = self.objects.shape[owner], self.objects.radius[owner]
        face = torch.where(shape == CYLINDER, normals[2].abs(), 0.0)
        local = self.objects.into(normals, owner) * radius
        face = torch.where(shape == CUBE, local.abs().amax(0), face)
        edge = ((1 - face) * 20).clamp(0, 1)
        round_ = torch.where(shape == CYLINDER, 0.7, 4.0 * edge)
        round_ = torch.where((shape == CYLINDER) & (face > 0.95), 0.0, round_)
        return torch.where(shape == SPHERE, 1.0, round_) / radius

    def _floor(self, scene: Tensor, points: Tensor, directions: Tensor) -> Tensor:
        """Radiance of the floor along rays; black above the horizon."""
        out = torch.zeros_like(points)
        down = (directions[2] < -1e-3).nonzero()[:, 0]
        scene = scene[down]
        hit, normal = floor_hit(points[:, down], directions[:, down])
        local = ((hit - self.camera.position[scene].T)[None] * self.camera.axes[scene].permute(1, 2, 0)).sum(1)
        depth = -local[2]
        column = self.camera.width / 2 + self.camera.fx * local[0] / depth
        row = self.camera.height / 2 - self.camera.fy * local[1] / depth
        shown = (depth > 0.5) & (column >= 0) & (column < self.camera.width) & (row >= 0) & (row < self.camera.height)
        colour = torch.empty_like(hit)
        a, b = shown.nonzero()[:, 0], (~shown).nonzero()[:, 0]
        colour[:, a] = self.floor[scene[a], :, row[a].long(), column[a].long()].T
        colour[:, b] = floor_radiance(self.lights, scene[b], hit[:, b], normal[:, b], None)
        out[:, down] = colour
        return out

    def _nearest(self, owner: Tensor, points: Tensor, directions: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Rays that hit another object: ray, object, distance [hits] and normal [3, hits]."""
        objects = self.objects
        count = torch.bincount(objects.scene)
        start = (count.cumsum(0) - count)[objects.scene[owner]]
        size = count[objects.scene[owner]]
        ball = objects.radius * objects.radius.new_tensor([1.0, 1.55, 1.42])[objects.shape]
        rays, others = [], []
        for k in range(int(size.max()) if len(size) else 0):
            ray = ((size > k) & (start + k != owner)).nonzero()[:, 0]
            other = start[ray] + k
            gap = objects.centre[:, other] - points[:, ray]
            along = (gap * directions[:, ray]).sum(0)
            near = (along > 0) & (gap.square().sum(0) - along.square() < ball[other].square())
            rays.append(ray[near])
            others.append(other[near])
        ray, other = torch.cat(rays), torch.cat(others)
        t = torch.full(ray.shape, torch.inf, device=ray.device)
        normal = torch.zeros(3, len(ray), device=ray.device)
        for shape in range(3):
            index = (objects.shape[other] == shape).nonzero()[:, 0]
            r, o = ray[index], other[index]
            t[index], face = hard_entry(shape, objects.place(points[:, r], o), objects.into(directions[:, r], o))
            normal[:, index] = objects.out(face, o)
        best = torch.full(owner.shape, torch.inf, device=ray.device).scatter_reduce(0, ray, t, "amin")
        hit = ((t == best[ray]) & (t < torch.inf)).nonzero()[:, 0]
        return ray[hit], other[hit], t[hit], normal[:, hit]


def rim(room: Surroundings, owner: Tensor, points: Tensor, normals: Tensor, view: Tensor, base: Tensor) -> Tensor:
    """Rubber: a diffuse base, and a weak sheen that shows where the surface turns away from the viewer."""
    facing = (normals * view).sum(0).clamp(0, 1)
    return base * (1 - SHEEN_LOSS * (1 - facing).pow(3)) + SHEEN * (1 - facing).pow(4) * room.under[:, owner]


def glossy(
    room: Surroundings, owner: Tensor, points: Tensor, normals: Tensor, view: Tensor, hidden: Tensor
) -> Tensor:
    """Metal: what its mirror and its glossy lobe reflect, and the lights' glow in that lobe."""
    objects, lights = room.objects, room.lights
    facing = (normals * view).sum(0).clamp_min(0.02)
    mirrored = 2 * facing * normals - view
    colour = MIRROR * room.seen(owner, points, mirrored)
    # the lobe as three mirrors, tilted around the normal by its typical angle
    side = torch.linalg.cross(normals, view, dim=0)
    side = side / side.norm(dim=0).clamp_min(1e-6)
    other = torch.linalg.cross(normals, side, dim=0)
    for k in range(GLOSS_RAYS):
        angle = 2 * math.pi * (k + 0.25) / GLOSS_RAYS
        tilted = normals + GLOSS_TILT * (math.cos(angle) * side + math.sin(angle) * other)
        tilted = tilted / tilted.norm(dim=0)
        way = 2 * (tilted * view).sum(0) * tilted - view
        above = (way * normals).sum(0)
        way = way + (0.02 - above).clamp_min(0) * normals
        colour = colour + GLOSS / GLOSS_RAYS * room.seen(owner, points, way / way.norm(dim=0))
    scene = objects.scene[owner]
    for light in range(4):
        towards = lights.towards(light, scene, points)
        distance = towards.norm(dim=0)
        towards = towards / distance
        half = towards + view
        half = half / half.norm(dim=0)
        size = SUN_RADIUS if light == 3 else LIGHT_RADIUS[light] / distance
        square = GLOSS_ALPHA**2 + (size / 2) ** 2
        d = square / (math.pi * ((normals * half).sum(0).clamp(0, 1).square() * (square - 1) + 1).square())
        lit = lights.irradiance(light, scene, points, normals) * (1 - hidden[light])
        at_light = (normals * towards).sum(0).clamp_min(0.05)
        glow = GLOSS * lit * d / (4 * (0.9 * at_light + 0.1) * (0.9 * facing + 0.1))
        colour = colour + lights.colour[light][:, None] * glow
    return objects.albedo[:, owner] * colour


def highlight(
    room: Surroundings,
    owner: Tensor,
    points: Tensor,
    normals: Tensor,
    view: Tensor,
    hidden: Tensor,
    depth: Tensor,
) -> Tensor:
    """How white a pixel of metal is for the lights in its mirror, 0 to 1.

    A light is far brighter than white and its image smaller than a pixel, so what counts is the area that it bleaches,
    its own image and a seam of about one pixel of the 480-wide original.
    """
    scene = room.objects.scene[owner]
    white = torch.zeros_like(depth)
    pixel = depth / room.camera.fx
    bend = pixel * room.bending(owner, points, normals) + 0.5 / room.camera.fx
    seam = 0.5 * bend * room.camera.width / 480
    for light in range(4):
        towards = room.lights.towards(light, scene, points)
        distance = towards.norm(dim=0)
        half = towards / distance + view
        half = half / half.norm(dim=0)
        size = 0.5 * (SUN_RADIUS if light == 3 else LIGHT_RADIUS[light]) / distance
        angle = (normals - half).square().sum(0)
        width = bend.square() * 0.2 + size.square()
        part = (size + seam).square() / (2 * width) * torch.exp(-0.5 * angle / width)
        white = torch.maximum(white, part.clamp(0, 1) * (1 - hidden[light]))
    return white
