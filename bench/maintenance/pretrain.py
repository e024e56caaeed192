"""Make the frozen image encoder that ``quick`` ships with: ``python -m setbench.bench.maintenance.pretrain``.

It sees training scenes of our renderer only. First phi and a throw-away MLP decoder learn to encode true sets under the
set loss; then the picture network learns, densely (which object has its centre in a cell, and what it is like) and
through the code, by the same set loss. The decoder is thrown away. The weights carry the identity of the renderer and
the scenes; ``setbench.bench.cell.features`` refuses to use them silently on others.
"""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import torch
import torch.nn.functional as F
from platformdirs import user_cache_path
from torch import Tensor, nn

from setbench.bench.runner.driver import command_line
from setbench.models.images.frozen import PlaceSum, save_frozen
from setbench.models.ops.layers import mlp
from setbench.sets import PredictedSets, SetBatch
from setbench.tasks.clevr.files.rendered import RenderedScenes
from setbench.tasks.clevr.scenes.constants import MAX_OBJECTS
from setbench.tasks.clevr.states import present, states
from setbench.tasks.losses import hungarian
from setbench.tasks.metrics import state_metrics

GROUPS = (2, 8, 3, 2)  # material, colour, shape, size, as in setbench.tasks.clevr.states
COORDINATES = 3
SIDE = 16  # cells of the map, each way
LATENT = 256
BATCH = 128
RATE = 1e-3
SET_STEPS, PICTURE_STEPS = 8_000, 4_500


@dataclass(frozen=True)
class Scenes:
    """Pictures at half size, true sets, and the cell that each object's centre lies in (-1: out of the picture)."""

    small: Tensor
    sets: SetBatch
    cell: Tensor

    @classmethod
    def load(cls, source: RenderedScenes, split: str, count: int) -> Scenes:
        pictures, records = source.load(split, count)
        small = torch.cat(
            [
                F.avg_pool2d(torch.from_numpy(pictures[start : start + 500]).float(), 2).round().byte()
                for start in range(0, count, 500)
            ]
        )
        pixel = torch.from_numpy(records["pixel"].copy())
        column, row = pixel[..., 0] * SIDE / 480, pixel[..., 1] * SIDE / 320  # pixel_coords are those of 480x320
        inside = (column >= 0) & (column < SIDE) & (row >= 0) & (row < SIDE)
        mask = torch.from_numpy(present(records))
        cell = torch.where(inside & mask, row.long() * SIDE + column.long(), -1)
        # of two objects in one cell the nearer one stays, since the other is behind it
        order = torch.where(mask, pixel[..., 2], torch.inf).argsort(dim=1)
        sets = SetBatch(
            torch.from_numpy(states(records)).take_along_dim(order[..., None], 1), mask.take_along_dim(order, 1)
        )
        cell = cell.take_along_dim(order, 1)
        for late in range(1, MAX_OBJECTS):
            taken = (cell[:, late, None] == cell[:, :late]).any(dim=1)
            cell[taken, late] = -1
        return cls(small, sets, cell)

    def __len__(self) -> int:
        return len(self.small)

    def take(self, index: Tensor) -> Scenes:
        return Scenes(self.small[index], SetBatch(self.sets.elements[index], self.sets.mask[index]), self.cell[index])


class Pretraining(nn.Module):
    """The encoder with the decoder that is thrown away."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = PlaceSum(COORDINATES, GROUPS, LATENT)
        self.decoder = mlp(LATENT, 512, 512, MAX_OBJECTS * (COORDINATES + sum(GROUPS) + 1))

    def decode(self, code: Tensor) -> PredictedSets:
        slots = self.decoder(code).unflatten(-1, (MAX_OBJECTS, -1))
        return PredictedSets(slots[..., :-1], slots[..., -1])

    def set_loss(self, sets: SetBatch) -> Tensor:
        """Of true sets with their attributes drawn anew, which CLEVR's rules allow: sizes go with the height."""
        drawn = [torch.randint(size, sets.mask.shape) for size in GROUPS[:-1]]
        parts = [F.one_hot(value, size).float() for value, size in zip(drawn, GROUPS[:-1], strict=True)]
        fixed = sets.elements[..., :COORDINATES], sets.elements[..., -GROUPS[-1] :]
        elements = torch.cat([fixed[0], *parts, fixed[1]], dim=-1) * sets.mask[..., None]
        anew = SetBatch(elements, sets.mask)
        return hungarian(self.decode(self.encoder.code_of_sets(elements, sets.mask.float())), anew)

    def picture_losses(self, scenes: Scenes) -> dict[str, Tensor]:
        """Dense losses of the map, and the set loss of what the code decodes to."""
        small = jitter(scenes.small.float() / 255)
        with torch.autocast("cpu", torch.bfloat16):
            presence, raw = self.encoder.cells(small.contiguous(memory_format=torch.channels_last))
        there = scenes.cell >= 0
        truth = torch.zeros_like(presence).scatter_add(1, scenes.cell.clamp(min=0), there.float())
        found = raw.gather(1, scenes.cell.clamp(min=0)[..., None].expand(-1, -1, raw.shape[-1]))[there]
        true = scenes.sets.elements[there]
        parts, wanted = (x.split((COORDINATES, *GROUPS), dim=-1) for x in (found, true))
        attributes = [F.cross_entropy(a, b.argmax(dim=-1)) for a, b in zip(parts[1:], wanted[1:], strict=True)]
        code = self.encoder.code_of_cells(presence, raw)
        return {
            "presence": 20 * F.binary_cross_entropy_with_logits(presence, truth.clamp(max=1)),
            "attributes": torch.stack(attributes).sum(),
            "place": 10 * F.mse_loss(parts[0], wanted[0]),
            "set": 50 * hungarian(self.decode(code), scenes.sets),
        }


def jitter(pictures: Tensor) -> Tensor:
    """A little of what differs between cameras: brightness, contrast and noise."""
    size = (len(pictures), 1, 1, 1)
    gain, shift = 1 + 0.1 * (torch.rand(size) - 0.5), 0.06 * (torch.rand(size) - 0.5)
    return pictures * gain + shift + 0.01 * torch.randn_like(pictures)


def fit(model: nn.Module, loss: Callable[[Tensor], Tensor], count: int, steps: int, rate: float, tell: Any) -> None:
    """Adam, a short warm-up, then half a cosine to zero."""
    parameters = list(model.parameters())
    optimizer = torch.optim.Adam(parameters, lr=rate)
    for step in range(steps):
        for group in optimizer.param_groups:
            group["lr"] = rate * min(1, (step + 1) / 200) * 0.5 * (1 + math.cos(math.pi * step / steps))
        value = loss(torch.randint(count, (BATCH,)))
        optimizer.zero_grad()
        value.backward()
        nn.utils.clip_grad_norm_(parameters, 5.0)
        optimizer.step()
        if (step + 1) % 500 == 0:
            tell(step + 1, value.item())


@torch.no_grad()
def validate(model: Pretraining, scenes: Scenes) -> dict[str, float]:
    """How the code decodes (average precision), and how often all four attributes are right at the true centre."""
    codes, right, total = [], 0, 0
    for start in range(0, len(scenes), 500):
        chunk = scenes.take(torch.arange(start, min(start + 500, len(scenes))))
        presence, raw = model.encoder.cells(chunk.small.float() / 255)
        codes.append(model.encoder.code_of_cells(presence, raw))
        there = chunk.cell >= 0
        found = raw.gather(1, chunk.cell.clamp(min=0)[..., None].expand(-1, -1, raw.shape[-1]))[there]
        pairs = zip(
            found.split((COORDINATES, *GROUPS), -1),
            chunk.sets.elements[there].split((COORDINATES, *GROUPS), -1),
            strict=True,
        )
        same = torch.stack([a.argmax(-1) == b.argmax(-1) for a, b in list(pairs)[1:]]).all(dim=0)
        right, total = right + int(same.sum()), total + len(same)
    scores = state_metrics(model.decode(torch.cat(codes)), scenes.sets)
    return {"attributes_right": 100 * right / total, "ap_inf": scores["ap_inf"], "ap_1": scores["ap_1"]}


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--scenes", type=int, default=20_000)
    arguments.add_argument("--scale", type=float, default=1.0, help="of the number of steps")
    given = arguments.parse_args()
    torch.manual_seed(0)
    source = RenderedScenes(user_cache_path("setbench"))
    source.prepare({"train": given.scenes, "validation": 1000}, lambda what, done, total: None)
    train, held_out = Scenes.load(source, "train", given.scenes), Scenes.load(source, "validation", 1000)
    model = Pretraining()
    start = time.perf_counter()

    def tell(step: int, loss: float) -> None:
        print(
            f"{time.perf_counter() - start:.0f} s, step {step}: loss {loss:.4f}, {validate(model, held_out)}",
            flush=True,
        )

    fit(
        model,
        lambda index: 50 * model.set_loss(train.take(index).sets),
        len(train),
        int(SET_STEPS * given.scale),
        RATE,
        tell,
    )

    def both(index: Tensor) -> Tensor:
        scenes = train.take(index)
        few = SetBatch(scenes.sets.elements[:32], scenes.sets.mask[:32])  # enough not to forget true sets
        return torch.stack([*model.picture_losses(scenes).values(), 50 * model.set_loss(few)]).sum()

    fit(model, both, len(train), int(PICTURE_STEPS * given.scale), RATE, tell)
    about: dict[str, Any] = {
        "latent": LATENT,
        "coordinates": COORDINATES,
        "groups": list(GROUPS),
        "pictures": source.key,
        "scenes": given.scenes,
        "command": command_line(),
        "date": datetime.now(UTC).date().isoformat(),
        "seconds": round(time.perf_counter() - start),
        "validation": validate(model, held_out),
    }
    save_frozen(model.encoder, about)
    print(about)


if __name__ == "__main__":
    main()
