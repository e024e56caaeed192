"""How near DSPN's steps are to what the machine can do: ``python tests/timing/floors.py --out results/performance.md``.

The set part of two published steps at full width (a given code in the picture's place), in batches of 32 with 10 inner
steps: CLEVR states with the relation network and FSPool, set MNIST with FSPool. Beside each stand, all of one run:

- its floor: the arithmetic that the algorithm must do and the bytes that it must read and write, each over what this
  machine reaches at best in the same dtype, whichever is the longer;
- the same step with the encoder in the plain form that the tests compare with (tests/models/ops/test_featurewise.py);
- with ``--authors DIR``, a checkout of the authors' repository: their step, by their code.

Counted is what any exact way of computing must do. A layer of linear maps costs one product forward. An inner step
costs six of these: the code, its gradient in the set, and through both, for the outer gradient, a pass of tangents, a
pass back and two products for the weights; the encoding of the true sets costs three. Sorting, ReLUs, biases and the
pool count as nothing, Chamfer's pairs four operations a channel.
"""

from __future__ import annotations

import argparse
import importlib.util
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

import torch
from published_step import cells
from tabulate import tabulate
from torch import Tensor, nn

from setbench.bench.cell.run_cell import make_predictor, make_task
from setbench.bench.cell.train import Trainer
from setbench.bench.maintenance.steps import made_up_split
from setbench.bench.records.machine import processor
from setbench.bench.runner.processes import keep_freed_memory

ROOT = Path(__file__).parents[2]
BATCH, STEPS = 32, 10
FORMS = {"clevr_state": "plain_relation", "set_mnist": "plain_fspool"}


class GivenCode(nn.Module):
    """What stands in the place of a picture's encoder: a code for every example, learned."""

    def __init__(self, latent: int) -> None:
        super().__init__()
        self.code = nn.Parameter(torch.randn(BATCH, latent))

    def forward(self, inputs: Any) -> Tensor:
        return self.code


def best(work: Callable[[], object], repeats: int) -> float:
    """The least seconds of several."""
    found = []
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        found.append(time.perf_counter() - start)
    return min(found)


def ceilings() -> tuple[float, float]:
    """Floating-point operations a second in products of these layers' shapes, and bytes a second in a copy."""
    speed = 0.0
    for width, places in ((256, BATCH * 342), (512, BATCH * 100)):
        left, right = torch.randn(width, width), torch.randn(width, places)
        speed = max(speed, 2 * width * width * places / best(lambda a=left, b=right: a @ b, 20))  # type: ignore[misc]
    source = torch.randn(2**24)
    target = torch.empty_like(source)
    return speed, 2 * 4 * source.numel() / best(lambda: target.copy_(source), 10)


def operations(task: str) -> float:
    """Compulsory floating-point operations of a step."""
    if task == "set_mnist":
        places, products = 342, 3 * 256 + 256 * 256 + 256 * 256
        pairs = (STEPS + 1) * BATCH * 342 * 342 * 3 * 4
    else:
        places, products = 100, 512 * 512
        pairs = 0  # ten by ten
    return 2 * BATCH * places * products * (6 * STEPS + 3) + pairs


def bytes_moved(task: str, weights: int) -> float:
    """Input and output of a step: true sets, the sets on the way, weights with their gradients and Adam's moments."""
    size = 342 * 3 if task == "set_mnist" else 10 * 19
    return 4 * (BATCH * size * (STEPS + 2) + 7 * weights)


def ours(task: str) -> tuple[Trainer, nn.Module]:
    """The published cell's trainer, on a given code where the paper has pictures; and its set encoder."""
    (cell,) = (one for one in cells("cpu") if one.task == task and (one.decoder or "").startswith("dspn"))
    with tempfile.TemporaryDirectory() as folder:
        made = make_task(cell, Path(folder), None)
        predictor: Any = make_predictor(cell, made).train()
        if task != "set_mnist":
            predictor.source = GivenCode(cell.settings.latent)
        split = made_up_split(made, cell.settings.batch)
        return Trainer(predictor, made, split, cell.settings, cell.seed, torch.device("cpu")), predictor.decoder.encoder


def loaded(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def theirs(task: str, folder: Path) -> Callable[[], object]:
    """A step of the authors' own code on the same shapes: forward, loss, backward, Adam."""
    for name in ("torchvision", "matplotlib.pyplot", "track"):  # imported by it, and not needed here
        sys.modules.setdefault(name, ModuleType(name))
    sys.path.insert(0, str(folder / "dspn"))
    model, utils = loaded(folder / "dspn" / "model.py"), loaded(folder / "dspn" / "utils.py")
    channels, size, width, encoder = (2, 342, 256, "FSEncoder") if task == "set_mnist" else (18, 10, 512, "RNFSEncoder")
    sets = getattr(model, encoder)(channels, width, width)
    net = model.Net(set_encoder=sets, set_decoder=model.DSPN(sets, channels, size, width, STEPS, 800))
    if task != "set_mnist":
        net.input_encoder = GivenCode(width)
    true, mask = torch.rand(BATCH, channels, size), torch.ones(BATCH, size)
    optimizer = torch.optim.Adam(net.parameters(), lr=1e-3)
    from multiprocessing.pool import ThreadPool

    pool = ThreadPool(2)

    def step() -> None:
        (found, masks, _, _), (goal, code) = net(None, true, mask)
        given = torch.cat([true, mask[:, None]], dim=1)
        guesses = torch.stack([torch.cat([a, b[:, None]], dim=1) for a, b in zip(found, masks, strict=True)])
        if task == "set_mnist":
            loss = utils.chamfer_loss(guesses, given[None]).mean()
        else:
            loss = utils.hungarian_loss(guesses[-1], given, pool)
        loss = loss + 0.1 * torch.nn.functional.smooth_l1_loss(code, goal)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    return step


def plainly(form: Callable[[nn.Module, Tensor], Tensor], encoder: nn.Module, elements: Tensor, mask: Tensor) -> Tensor:
    """An encoder's forward in its plain form, of sets without padding."""
    return form(encoder, elements)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=5, help="each form is timed once a round, in turn")
    parser.add_argument("--authors", type=Path, help="a checkout of the authors' repository")
    parser.add_argument("--out", type=Path, help="a page in Markdown")
    asked = parser.parse_args()
    torch.set_num_threads(asked.threads)
    keep_freed_memory()
    plain = loaded(ROOT / "tests" / "models" / "ops" / "test_featurewise.py")
    rows = []
    for task in FORMS:
        torch.manual_seed(0)
        fast, _ = ours(task)
        slow, encoder = ours(task)
        form = getattr(plain, FORMS[task])
        encoder.forward = partial(plainly, form, encoder)  # type: ignore[assignment]
        work: dict[str, Callable[[], object]] = {"ours": partial(fast.step, 0), "plain": partial(slow.step, 0)}
        if asked.authors:
            work["authors"] = theirs(task, asked.authors)
        seconds: dict[str, list[float]] = {name: [] for name in work}
        limits = []
        for turn in range(asked.rounds + 1):
            limits.append(ceilings())
            for name, one in work.items():
                taken = best(one, 1)
                if turn:
                    seconds[name].append(taken)
        speed, copied = (max(column) for column in zip(*limits, strict=True))
        weights = sum(weight.numel() for weight in fast.predictor.parameters())
        floor = max(operations(task) / speed, bytes_moved(task, weights) / copied)
        middle = {name: statistics.median(values) for name, values in seconds.items()}
        rows.append(
            [
                task,
                f"{operations(task) / 1e9:.0f}",
                f"{speed / 1e9:.0f}",
                f"{1000 * floor:.0f}",
                f"{1000 * middle['ours']:.0f}",
                f"{middle['ours'] / floor:.2f}",
                f"{middle['plain'] / middle['ours']:.2f}",
                f"{middle['authors'] / middle['ours']:.2f}" if asked.authors else "not run",
            ]
        )
        print(rows[-1], flush=True)
    headers = (
        "step",
        "GFLOP",
        "GFLOP/s at best",
        "floor, ms",
        "ours, ms",
        "over the floor",
        "plain form / ours",
        "authors' code / ours",
    )
    table = tabulate(rows, headers=headers, tablefmt="pipe", disable_numparse=True, colalign=("left", *["right"] * 7))
    where = f"{processor()}, {asked.threads} threads, torch {torch.__version__}, medians of {asked.rounds} turns."
    text = f"# DSPN's steps and their floors\n\n{(__doc__ or '').partition(chr(10))[2].strip()}\n\n{where}\n\n{table}\n"
    print("\n" + text)
    if asked.out:
        asked.out.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
