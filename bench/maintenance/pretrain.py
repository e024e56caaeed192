"""Make the frozen image encoder that the presets ship with: ``python -m setbench.bench.maintenance.pretrain``.

It sees training scenes of our renderer only, in two parts. ``pictures``: the trunk says of every cell of its map
whether an object's centre lies there and what that object is like. ``sets``: phi, which makes the code, encodes true
sets; a head (``--head``, thrown away afterwards) answers questions about the set, or maps the floor. So no decoder of a
table was there when the code was made, and a second code, made with another head, shows what the head decides.

Either part is kept in the cache every 250 steps and gone on with by the same command. The weights carry the identity of
the renderer and of the scenes; ``setbench.bench.cell.frozen_task`` refuses to use them silently on others.
"""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from platformdirs import user_cache_path
from torch import Tensor, nn

from setbench.bench.maintenance.encoder_heads import COORDINATES, GROUPS, HEADS, attribute_loss
from setbench.bench.runner.driver import command_line
from setbench.files import replacing
from setbench.models.images.frozen import PlaceSum, save_frozen, weights_of
from setbench.sets import SetBatch
from setbench.tasks.clevr.files.rendered import RenderedScenes
from setbench.tasks.clevr.scenes.constants import MAX_OBJECTS
from setbench.tasks.clevr.states import present, states

SIDE = 16  # cells of the map, each way
LATENT = 256
ENCODERS = {"questions": "frozen", "map": "frozen_map"}  # head -> the encoder that it makes
KEEP = 250  # steps between two checkpoints, and two words


@dataclass(frozen=True)
class Part:
    """How one part is trained: Adam, a short warm-up, then half a cosine to zero."""

    steps: int
    batch: int
    rate: float
    warm_up: int


PICTURES = Part(steps=4_000, batch=64, rate=1.5e-3, warm_up=100)
SETS = Part(steps=12_000, batch=128, rate=1e-3, warm_up=200)


@dataclass(frozen=True)
class Scenes:
    """Pictures, true sets, and the cell that each object's centre lies in (-1: out of the picture, or behind)."""

    pictures: Tensor
    sets: SetBatch
    cell: Tensor

    @classmethod
    def load(cls, source: RenderedScenes, split: str, count: int) -> Scenes:
        pictures, records = source.load(split, count)
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
        return cls(torch.from_numpy(pictures), sets, cell)

    def __len__(self) -> int:
        return len(self.cell)

    def take(self, index: Tensor) -> Scenes:
        return Scenes(
            self.pictures[index], SetBatch(self.sets.elements[index], self.sets.mask[index]), self.cell[index]
        )


def anew(sets: SetBatch) -> SetBatch:
    """Sets with their attributes drawn anew, which CLEVR's rules allow: sizes stay, for they go with the height."""
    drawn = [torch.randint(size, sets.mask.shape) for size in GROUPS[:-1]]
    parts = [F.one_hot(value, size).float() for value, size in zip(drawn, GROUPS[:-1], strict=True)]
    elements = torch.cat([sets.elements[..., :COORDINATES], *parts, sets.elements[..., -GROUPS[-1] :]], dim=-1)
    return SetBatch(elements * sets.mask[..., None], sets.mask)


def jitter(pictures: Tensor) -> Tensor:
    """A little of what differs between cameras: brightness, contrast and noise."""
    size = (len(pictures), 1, 1, 1)
    gain, shift = 1 + 0.1 * (torch.rand(size) - 0.5), 0.06 * (torch.rand(size) - 0.5)
    return pictures * gain + shift + 0.01 * torch.randn_like(pictures)


def read(encoder: PlaceSum, scenes: Scenes, *, training: bool) -> tuple[Tensor, Tensor, Tensor]:
    """The map's presence logits [scenes, cells], and of each object that has a cell what is told and what is true."""
    pictures = scenes.pictures.float() / 255
    with torch.autocast("cpu", torch.bfloat16, enabled=training):
        shown = jitter(pictures) if training else pictures
        presence, raw = encoder.cells(shown.contiguous(memory_format=torch.channels_last))
    there = scenes.cell >= 0
    told = raw.gather(1, scenes.cell.clamp(min=0)[..., None].expand(-1, -1, raw.shape[-1]))[there]
    return presence, told, scenes.sets.elements[there]


def dense_loss(encoder: PlaceSum, scenes: Scenes) -> Tensor:
    """Presence of every cell, and place and attributes where an object's centre lies."""
    presence, told, true = read(encoder, scenes, training=True)
    there = (scenes.cell >= 0).float()
    truth = torch.zeros_like(presence).scatter_add(1, scenes.cell.clamp(min=0), there).clamp(max=1)
    return (
        20 * F.binary_cross_entropy_with_logits(presence, truth)
        + attribute_loss(told[:, COORDINATES:], true[:, COORDINATES:])
        + 10 * F.smooth_l1_loss(told[:, :COORDINATES], true[:, :COORDINATES], beta=0.05)
    )


@torch.no_grad()
def validate(encoder: PlaceSum, scenes: Scenes) -> dict[str, float]:
    """Of objects that have a cell: how many have all four attributes right (%), and the median error of their place on
    the floor, in CLEVR's units."""
    pairs = [read(encoder, chunk, training=False)[1:] for chunk in chunks(scenes)]
    told, true = (torch.cat(parts) for parts in zip(*pairs, strict=True))
    parts = zip(*(x[:, COORDINATES:].split(GROUPS, dim=-1) for x in (told, true)), strict=True)
    right = torch.stack([a.argmax(dim=-1) == b.argmax(dim=-1) for a, b in parts]).all(dim=0)
    error = 3 * (told[:, :2] - true[:, :2]).norm(dim=1)
    return {"attributes_right": 100 * float(right.float().mean()), "place_error": float(error.median())}


def chunks(scenes: Scenes) -> Iterator[Scenes]:
    for index in torch.arange(len(scenes)).split(250):
        yield scenes.take(index)


def fit(
    learners: nn.Module, loss: Callable[[Tensor], Tensor], count: int, part: Part, kept: Path, tell: Callable[[], Any]
) -> float:
    """Train ``learners`` on ``loss`` of drawn scenes from where ``kept`` ends; the seconds that it took in all."""
    optimizer = torch.optim.Adam(learners.parameters(), lr=part.rate, fused=True)
    done, seconds = 0, 0.0
    if kept.exists():
        state = torch.load(kept, weights_only=True)
        learners.load_state_dict(state["learners"])
        optimizer.load_state_dict(state["optimizer"])
        torch.set_rng_state(state["random"])
        done, seconds = state["done"], state["seconds"]
    for step in range(done, part.steps):
        start = time.perf_counter()
        for group in optimizer.param_groups:
            warm = min(1, (step + 1) / part.warm_up)
            group["lr"] = part.rate * warm * 0.5 * (1 + math.cos(math.pi * step / part.steps))
        value = loss(torch.randint(count, (part.batch,)))
        optimizer.zero_grad()
        value.backward()
        nn.utils.clip_grad_norm_(learners.parameters(), 5.0)
        optimizer.step()
        seconds += time.perf_counter() - start
        if (step + 1) % KEEP == 0 or step + 1 == part.steps:
            state = {
                "learners": learners.state_dict(),
                "optimizer": optimizer.state_dict(),
                "random": torch.get_rng_state(),
                "done": step + 1,
                "seconds": seconds,
            }
            with replacing(kept) as file:
                torch.save(state, file)
            print(f"{seconds:.0f} s, step {step + 1} of {part.steps}: loss {value.item():.4f}, {tell()}", flush=True)
    return seconds


def main(words: list[str] | None = None) -> None:
    """Train both parts and write the weights."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--head", choices=HEADS, default="questions", help="what phi is supervised with")
    parser.add_argument("--scenes", type=int, default=24_000)
    parser.add_argument("--scale", type=float, default=1.0, help="of the number of steps")
    parser.add_argument("--cache", type=Path, default=user_cache_path("setbench"))
    parser.add_argument("--out", type=Path, help="default: the weights that the suite ships for this head")
    given = parser.parse_args(words)
    source = RenderedScenes(given.cache)
    source.prepare({"train": given.scenes, "validation": 1000}, lambda what, done, total: None)
    train, held_out = Scenes.load(source, "train", given.scenes), Scenes.load(source, "validation", 1000)
    folder = given.cache / "pretraining" / f"{source.key}-{given.scenes}-{given.scale}"
    folder.mkdir(parents=True, exist_ok=True)
    pictures, sets = (
        Part(max(1, int(part.steps * given.scale)), part.batch, part.rate, part.warm_up) for part in (PICTURES, SETS)
    )

    torch.manual_seed(0)
    encoder = PlaceSum(COORDINATES, GROUPS, LATENT)
    seen = nn.ModuleList([encoder.trunk, encoder.read])
    seconds = fit(
        seen,
        lambda index: dense_loss(encoder, train.take(index)),
        len(train),
        pictures,
        folder / "pictures.pt",
        lambda: validate(encoder, held_out),
    )

    torch.manual_seed(1)
    encoder.phi = PlaceSum(COORDINATES, GROUPS, LATENT).phi
    head = HEADS[given.head](LATENT)

    def of_sets(sets: SetBatch) -> Tensor:
        return head.loss(encoder.code_of_sets(sets.elements, sets.mask.float()), sets)

    def held_out_loss() -> dict[str, float]:
        with torch.no_grad(), torch.random.fork_rng():
            torch.manual_seed(2)  # the same questions each time
            return {f"{given.head}_loss": float(of_sets(held_out.sets))}

    def of_drawn(index: Tensor) -> Tensor:
        return of_sets(anew(SetBatch(train.sets.elements[index], train.sets.mask[index])))

    kept = folder / f"sets-{given.head}.pt"
    seconds += fit(nn.ModuleList([encoder.phi, head]), of_drawn, len(train), sets, kept, held_out_loss)
    about: dict[str, Any] = {
        "latent": LATENT,
        "coordinates": COORDINATES,
        "groups": list(GROUPS),
        "pictures": source.key,
        "scenes": given.scenes,
        "head": given.head,
        "command": command_line(),
        "date": datetime.now(UTC).date().isoformat(),
        "seconds": round(seconds),
        "validation": validate(encoder, held_out) | held_out_loss(),
    }
    save_frozen(encoder, about, given.out or weights_of(ENCODERS[given.head]))
    kept.unlink()  # the pictures' part stays, for the other head
    print(about)


if __name__ == "__main__":
    main()
