"""What the renderer leaves out makes no difference: its plain forms, which look at everything, give the same values."""

import pytest
import torch
from torch import Tensor

from setbench.tasks.clevr.files.sample import sample
from setbench.tasks.clevr.render import backdrop
from setbench.tasks.clevr.render.camera import Camera
from setbench.tasks.clevr.render.lights import LIGHT_RADIUS, SUN_RADIUS, Lights
from setbench.tasks.clevr.render.materials import Surroundings
from setbench.tasks.clevr.render.objects import CUBE, CYLINDER, SPHERE, Objects
from setbench.tasks.clevr.render.outlines import fragments
from setbench.tasks.clevr.render.shadow_lists import floor_shadows
from setbench.tasks.clevr.render.shadows import hidden
from setbench.tasks.clevr.render.shapes import hard_entry, meet


def drawn(count: int, width: int, height: int) -> tuple[Objects, Camera, Lights]:
    scenes = sample(21, 0, 0, count)
    camera = Camera(torch.as_tensor(scenes.camera), width, height)
    return Objects.of(scenes), camera, Lights(torch.as_tensor(scenes.lights))


def plain_shadows(objects: Objects, camera: Camera, lights: Lights, nearness: Tensor) -> Tensor:
    """Every object asked for every pixel of its scene, whatever the distance."""
    pixels = camera.width * camera.height
    row, column = torch.meshgrid(torch.arange(camera.height), torch.arange(camera.width), indexing="ij")
    out = torch.zeros(4, len(camera.position), pixels)
    for k, scene in enumerate(objects.scene.tolist()):
        at = torch.full((pixels,), scene)
        points = camera.rays(at, column.flatten() + 0.5, row.flatten() + 0.5) / nearness.view(-1, pixels)[scene]
        points = points + camera.position[scene][:, None]
        who, radius = torch.full((pixels,), k), objects.radius[k]
        blur = 0.6 / camera.fx * (objects.centre[:, k] - camera.position[scene]).norm() / radius
        for light in range(4):
            towards = objects.into(lights.towards(light, at, points), who)
            spread = (SUN_RADIUS if light == 3 else LIGHT_RADIUS[light]) / radius
            part = hidden(
                int(objects.shape[k]), objects.place(points, who), towards, spread, blur.expand(pixels), light == 3
            )
            out[light, scene] = torch.maximum(out[light, scene], part)
    return out.flatten(1)


@pytest.mark.parametrize("size", [(64, 64), (45, 31)])
def test_shadows_on_the_floor(size: tuple[int, int], monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where the picture is no whole number of tiles."""
    objects, camera, lights = drawn(3, *size)
    seen: list[Tensor] = []

    def kept(objects: Objects, lights: Lights, camera: Camera, nearness: Tensor) -> Tensor:
        seen.append(nearness)
        return floor_shadows(objects, lights, camera, nearness)

    monkeypatch.setattr(backdrop, "floor_shadows", kept)
    backdrop.backdrop(objects, camera, lights)
    found = floor_shadows(objects, lights, camera, seen[0])
    plain = plain_shadows(objects, camera, lights, seen[0])
    assert (plain > 0.5).float().mean() > 0.01
    assert (found - plain).abs().max() < 1e-3


def test_outlines_lose_no_pixel() -> None:
    """Pixels of every object, by rays through all of its scene's pixels."""
    objects, camera, _ = drawn(2, 64, 48)
    items = fragments(objects, camera)
    row, column = torch.meshgrid(torch.arange(48), torch.arange(64), indexing="ij")
    for k, scene in enumerate(objects.scene.tolist()):
        at, who = torch.full((64 * 48,), scene), torch.full((64 * 48,), k)
        rays = camera.rays(at, column.flatten() + 0.5, row.flatten() + 0.5)
        origin = objects.place(camera.position_at(at), who)
        clearance, depth, _ = meet(int(objects.shape[k]), origin, objects.into(rays, who))
        near = clearance * objects.radius[k] < 1.5 * depth / min(camera.fx, camera.fy)
        mine = (items.owner == k).nonzero()[:, 0]
        pixel, order = (items.pixel[mine] - scene * 64 * 48).sort()
        plain = near.nonzero()[:, 0]
        touched = items.cover[mine][order] > 0
        assert torch.isin(pixel[touched], plain).all()
        covered = (clearance < 0).nonzero()[:, 0]
        assert torch.isin(covered, pixel).all()
        torch.testing.assert_close(items.depth[mine][order], depth[pixel], rtol=1e-4, atol=1e-4)


def test_the_nearest_object_in_a_mirror() -> None:
    """Each ray against each other object of its scene, one at a time."""
    objects, camera, lights = drawn(4, 16, 16)
    generator = torch.Generator().manual_seed(0)
    owner = torch.arange(len(objects.scene)).repeat(60)
    way = torch.randn(3, len(owner), generator=generator)
    way[2] = 0.2 * way[2]  # mostly along the floor, where the others are
    way = way / way.norm(dim=0)
    points = objects.centre[:, owner] + 0.9 * objects.radius[owner] * way
    room = Surroundings(objects, lights, camera, torch.zeros(3, 4 * 16 * 16))
    ray, other, t, _ = room._nearest(owner, points, way)
    best = torch.full((len(owner),), torch.inf)
    who = torch.full((len(owner),), -1)
    for k in range(len(objects.scene)):
        mine = ((objects.scene[owner] == objects.scene[k]) & (owner != k)).nonzero()[:, 0]
        at = torch.full_like(mine, k)
        place, local = objects.place(points[:, mine], at), objects.into(way[:, mine], at)
        entry, _ = hard_entry(int(objects.shape[k]), place, local)
        foot = place - (place * local).sum(0) / local.square().sum(0) * local
        entry[foot.norm(dim=0) > {SPHERE: 1.0, CUBE: 1.55, CYLINDER: 1.42}[int(objects.shape[k])]] = torch.inf
        closer = entry < best[mine]
        best[mine[closer]], who[mine[closer]] = entry[closer], k
    assert torch.equal(ray.sort().values, (best < torch.inf).nonzero()[:, 0])
    assert len(ray) > 100
    assert torch.equal(other, who[ray])
    torch.testing.assert_close(t, best[ray])


def test_rays_of_whole_pictures() -> None:
    _, camera, _ = drawn(2, 12, 10)
    scene = torch.arange(2).repeat_interleave(120)
    column, row = torch.arange(12.0).repeat(20) + 0.5, torch.arange(10.0).repeat_interleave(12).repeat(2) + 0.5
    torch.testing.assert_close(camera.pictures().flatten(1), camera.rays(scene, column, row))
