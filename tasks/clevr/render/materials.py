"""The two materials and the floor: radiance towards the camera, linear RGB [3, points]."""

import math

import torch
from torch import Tensor

from setbench.tasks.clevr.render.camera import Camera
from setbench.tasks.clevr.render.floor import floor_hit
from setbench.tasks.clevr.render.lights import LIGHT_RADIUS, SUN_RADIUS, Lights
from setbench.tasks.clevr.render.objects import CUBE, CYLINDER, SPHERE, Objects
from setbench.tasks.clevr.render.shapes import hard_entry
from setbench.tasks.clevr.scenes.arrays import length, pick
from setbench.tasks.clevr.scenes.constants import FLOOR_ALBEDO, FLOOR_S, MAX_OBJECTS

# Calibrated against the official scene's renders with known camera and lights.
FLOOR_INDIRECT = (0.0134, 0.0009)  # radiance that the floor gets from the rest of itself: at s = -14, and its slope
INDIRECT_COLOUR = (0.982, 1.0, 0.974)
MIRROR, GLOSS = 0.6, 0.4  # metal: a mirror, and a GGX lobe of this alpha, both tinted
GLOSS_ALPHA = 0.2
FLOOR_SEEN = 0.78  # how much of the floor below an object is not in its own shadow
SHEEN, SHEEN_LOSS = 0.2, 0.2  # rubber's rim
FLOOR_ENDS, WALL_AT, WALL_TOP = 0.9, 1.0, 20.0  # s and z of the backdrop's upright part
GLOSS_RAYS, GLOSS_TILT = 3, 0.22


def direct(lights: Lights, scene: Tensor, points: Tensor, normals: Tensor, hidden: Tensor | None) -> Tensor:
    """Irradiance [3, points] of the four lights; `hidden` [4 lights, points] says how much of each is not seen."""
    each = torch.stack([lights.irradiance(light, scene, points, normals) for light in range(4)])
    if hidden is not None:
        each = each * (1 - hidden)
    return lights.colour.T @ each


def floor_radiance(lights: Lights, scene: Tensor, points: Tensor, normals: Tensor, hidden: Tensor | None) -> Tensor:
    """The floor is diffuse."""
    bounced = points.new_tensor(INDIRECT_COLOUR)[:, None] * bounced_floor(points)
    return FLOOR_ALBEDO / math.pi * direct(lights, scene, points, normals, hidden) + bounced


def bounced_floor(points: Tensor) -> Tensor:
    """What the floor gets from itself [points], times a colour: it grows towards the curve behind."""
    sx, sy, s0 = FLOOR_S
    s = (sx * points[0] + sy * points[1] + s0 + 14).clamp(-10, 16)
    return FLOOR_INDIRECT[0] + FLOOR_INDIRECT[1] * s


class Surroundings:
    """What a ray that leaves an object sees: the floor (with its shadows, where the picture shows them), the other
    objects, the black room.

    Args:
        floor: [3, pixels], radiance in the picture of the bare floor with the objects' shadows on it.
    """

    def __init__(self, objects: Objects, lights: Lights, camera: Camera, floor: Tensor) -> None:
        self.objects, self.lights, self.camera, self.floor = objects, lights, camera, floor
        base = objects.centre.clone()
        base[2] = 0
        up = torch.zeros_like(base)
        up[2] = 1
        #: [3, objects], radiance of the lit floor under each object
        self.under = floor_radiance(lights, objects.scene, base, up, None)
        # the balls of spheres and cylinders are a little larger than they, for the rounding; a cube's cuts its corners
        ball = objects.radius * objects.radius.new_tensor([1.01, 1.55, 1.43])[objects.shape]
        square = objects.centre.square().sum(0) - ball.square()
        #: [slots, 4, scenes]: the centre of each ball, and its square less the radius's, infinite where nothing is
        self.about = base.new_zeros(MAX_OBJECTS, 4, len(camera.position))
        self.about[:, 3] = torch.inf
        self.about[objects.slot, :, objects.scene] = torch.cat([objects.centre, square[None]]).T
        #: int64[slots, scenes], which object that is
        self.place = objects.scene.new_zeros(MAX_OBJECTS, len(camera.position))
        self.place[objects.slot, objects.scene] = torch.arange(len(ball), device=ball.device)

    def diffuse(self, owner: Tensor, points: Tensor, normals: Tensor, hidden: Tensor | None) -> Tensor:
        """Lambert, lit by the lights and by the floor around."""
        light = direct(self.lights, pick(self.objects.scene, owner), points, normals, hidden) / math.pi
        bounced = FLOOR_SEEN * pick(self.under, owner) * (0.5 - 0.5 * normals[2])
        return pick(self.objects.albedo, owner) * (light + bounced)

    def seen(self, owner: Tensor, points: Tensor, directions: Tensor) -> Tensor:
        """Radiance [3, rays] that comes back along rays from points [3, rays] on objects `owner`."""
        out = self._stage(pick(self.objects.scene, owner), points, directions)
        ray, other, t, normal = self._nearest(owner, points, directions)
        start, way = pick(points, ray), pick(directions, ray)
        at = start + t * way
        colour = self.diffuse(other, at, normal, None)
        mirror = pick(self.objects.metal, other).nonzero()[:, 0]
        if len(mirror):
            way, normal = pick(way, mirror), pick(normal, mirror)
            way = way - 2 * (way * normal).sum(0) * normal
            who = other[mirror]
            colour[:, mirror] = pick(self.objects.albedo, who) * self._stage(
                pick(self.objects.scene, who), pick(at, mirror), way
            )
        out[:, ray] = colour
        return out

    def bending(self, owner: Tensor, points: Tensor, normals: Tensor) -> Tensor:
        """By how much the normal turns along the surface [points], 1 / length (geometric mean of both directions)."""
        shape, radius = pick(self.objects.shape, owner), pick(self.objects.radius, owner)
        face = torch.where(shape == CYLINDER, normals[2].abs(), 0.0)
        local = self.objects.into(normals, owner) * radius
        face = torch.where(shape == CUBE, local.abs().amax(0), face)
        edge = ((1 - face) * 20).clamp(0, 1)
        round_ = torch.where(shape == CYLINDER, 0.7, 4.0 * edge)
        round_ = torch.where((shape == CYLINDER) & (face > 0.95), 0.0, round_)
        return torch.where(shape == SPHERE, 1.0, round_) / radius

    def _stage(self, scene: Tensor, points: Tensor, directions: Tensor) -> Tensor:
        """Radiance of the floor and the wall that it rises into, along rays; black above it and on the other side."""
        sx, sy, s0 = FLOOR_S
        out = torch.zeros_like(points)
        down = (directions[2] < -1e-3).nonzero()[:, 0]
        hit, normal = floor_hit(pick(points, down), pick(directions, down))
        flat = sx * hit[0] + sy * hit[1] + s0 < FLOOR_ENDS
        ground = torch.zeros(len(scene), dtype=torch.bool, device=scene.device)
        ground[down] = flat
        towards = sx * directions[0] + sy * directions[1]
        t = (WALL_AT - (sx * points[0] + sy * points[1] + s0)) / towards
        wall = (~ground & (towards > 1e-3) & (points[2] + t * directions[2] < WALL_TOP)).nonzero()[:, 0]
        if len(wall):
            facing = out.new_tensor([-sx, -sy, 0.0])[:, None].expand(3, len(wall))
            on_wall = pick(points, wall) + t[wall] * pick(directions, wall)
            out[:, wall] = floor_radiance(self.lights, pick(scene, wall), on_wall, facing, None)

        near = flat.nonzero()[:, 0]
        down, hit, normal = pick(down, near), pick(hit, near), pick(normal, near)
        scene = pick(scene, down)
        camera = self.camera
        local = ((hit - camera.position_at(scene)) * camera.axes_at(scene)).sum(1)
        depth = -local[2]
        column = camera.width / 2 + camera.fx * local[0] / depth
        row = camera.height / 2 - camera.fy * local[1] / depth
        shown = (depth > 0.5) & (column >= 0) & (column < camera.width) & (row >= 0) & (row < camera.height)
        colour = torch.empty_like(hit)
        a, b = shown.nonzero()[:, 0], (~shown).nonzero()[:, 0]
        pixel = (scene * camera.height + row.long()) * camera.width + column.long()
        colour[:, a] = pick(self.floor, pick(pixel, a))
        colour[:, b] = floor_radiance(self.lights, pick(scene, b), pick(hit, b), pick(normal, b), None)
        out[:, down] = colour
        return out

    def _nearest(self, owner: Tensor, points: Tensor, directions: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Rays that hit another object: ray, object, distance [hits] and normal [3, hits]."""
        objects = self.objects
        scene = pick(objects.scene, owner)
        behind = (points * directions).sum(0)
        foot = points - behind * directions  # the ray's point nearest to the origin
        x, y, z = directions
        fx, fy, fz = -2 * foot
        limit = -foot.square().sum(0)
        near = torch.empty(len(self.about), len(owner), dtype=torch.bool, device=owner.device)
        for k, about in enumerate(self.about):
            cx, cy, cz, square = pick(about, scene)
            along = (cx * x).addcmul_(cy, y).addcmul_(cz, z)
            gap = square.addcmul_(cx, fx).addcmul_(cy, fy).addcmul_(cz, fz).addcmul_(along, along, value=-1)
            near[k] = (gap < limit) & (along > behind)
        slot, ray = near.nonzero().unbind(1)
        other = self.place[slot, pick(scene, ray)]
        apart = (other != pick(owner, ray)).nonzero()[:, 0]
        ray, other = pick(ray, apart), pick(other, apart)
        t = torch.full(ray.shape, torch.inf, device=ray.device)
        normal = torch.zeros(3, len(ray), device=ray.device)
        for shape in range(3):
            index = (pick(objects.shape, other) == shape).nonzero()[:, 0]
            r, o = pick(ray, index), pick(other, index)
            t[index], face = hard_entry(shape, objects.place(pick(points, r), o), objects.into(pick(directions, r), o))
            normal[:, index] = objects.out(face, o)
        best = torch.full(owner.shape, torch.inf, device=ray.device).scatter_reduce(0, ray, t, "amin")
        hit = ((t == pick(best, ray)) & (t < torch.inf)).nonzero()[:, 0]
        return ray[hit], other[hit], t[hit], pick(normal, hit)


def rim(room: Surroundings, owner: Tensor, points: Tensor, normals: Tensor, view: Tensor, base: Tensor) -> Tensor:
    """Rubber: a diffuse base, and a weak sheen that shows where the surface turns away from the viewer."""
    facing = (normals * view).sum(0).clamp(0, 1)
    return base * (1 - SHEEN_LOSS * (1 - facing).pow(3)) + SHEEN * (1 - facing).pow(4) * pick(room.under, owner)


def glossy(room: Surroundings, owner: Tensor, points: Tensor, normals: Tensor, view: Tensor, hidden: Tensor) -> Tensor:
    """Metal: what its mirror and its glossy lobe reflect, and the lights' glow in that lobe."""
    objects, lights = room.objects, room.lights
    facing = (normals * view).sum(0).clamp_min(0.02)
    mirrored = 2 * facing * normals - view
    colour = MIRROR * room.seen(owner, points, mirrored)
    # the lobe as three mirrors, tilted around the normal by its typical angle
    side = torch.linalg.cross(normals, view, dim=0)
    side = side / length(side).clamp_min(1e-6)
    other = torch.linalg.cross(normals, side, dim=0)
    for k in range(GLOSS_RAYS):
        angle = 2 * math.pi * (k + 0.25) / GLOSS_RAYS
        tilted = normals + GLOSS_TILT * (math.cos(angle) * side + math.sin(angle) * other)
        tilted = tilted / length(tilted)
        way = 2 * (tilted * view).sum(0) * tilted - view
        above = (way * normals).sum(0)
        way = way + (0.02 - above).clamp_min(0) * normals
        colour = colour + GLOSS / GLOSS_RAYS * room.seen(owner, points, way / length(way))
    scene = pick(objects.scene, owner)
    for light in range(4):
        towards = lights.towards(light, scene, points)
        distance = length(towards)
        towards = towards / distance
        half = towards + view
        half = half / length(half)
        size = SUN_RADIUS if light == 3 else LIGHT_RADIUS[light] / distance
        square = GLOSS_ALPHA**2 + (size / 2) ** 2
        d = square / (math.pi * ((normals * half).sum(0).clamp(0, 1).square() * (square - 1) + 1).square())
        lit = lights.irradiance(light, scene, points, normals) * (1 - hidden[light])
        at_light = (normals * towards).sum(0).clamp_min(0.05)
        glow = GLOSS * lit * d / (4 * (0.9 * at_light + 0.1) * (0.9 * facing + 0.1))
        colour = colour + lights.colour[light][:, None] * glow
    return pick(objects.albedo, owner) * colour


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
    scene = pick(room.objects.scene, owner)
    white = torch.zeros_like(depth)
    pixel = depth / room.camera.fx
    bend = pixel * room.bending(owner, points, normals) + 0.5 / room.camera.fx
    seam = 0.5 * bend * room.camera.width / 480
    for light in range(4):
        towards = room.lights.towards(light, scene, points)
        distance = length(towards)
        half = towards / distance + view
        half = half / length(half)
        size = 0.5 * (SUN_RADIUS if light == 3 else LIGHT_RADIUS[light]) / distance
        angle = (normals - half).square().sum(0)
        width = bend.square() * 0.2 + size.square()
        part = (size + seam).square() / (2 * width) * torch.exp(-0.5 * angle / width)
        white = torch.maximum(white, part.clamp(0, 1) * (1 - hidden[light]))
    return white
