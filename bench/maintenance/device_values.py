"""Does every row of the catalogue give on a GPU what it gives on the CPU? In float32, TF32 off.

    python -m setbench.bench.maintenance.device_values --device cuda --out FILE.md

For every set encoder: codes of sets of several sizes, and the gradients of elements and weights. For every decoder: the
sets from given codes, and the gradients of codes and weights. All small and freshly initialised, random draws frozen.
Of each the largest |there - here| / |here| is shown, ``ok`` below ``NEAR``. Exit code 1 where one is not.
"""

from __future__ import annotations

import argparse
import copy
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import torch
from tabulate import tabulate
from torch import Tensor, nn

from setbench.bench.cell.precision import products_in
from setbench.bench.records.machine import processor
from setbench.files import error_line, write_atomically
from setbench.models.catalogue import ModelSpec, model_specs
from setbench.models.contract import decoders, encoders
from setbench.models.ops.presence import merge

NEAR = 1e-3
"""Sums in another order round to 1e-6 or so; equilibria and divisions by small numbers pass more on."""

Values = dict[str, list[Tensor]]


def values_of(model: ModelSpec, device: torch.device) -> Values:
    """Codes or sets of a row on a device, and the gradients in what came in and in the weights, by name."""
    if model.entry.kind == "decoder":
        module: nn.Module = decoders.build(model, dtype=torch.float32)
        given = [decoders.codes(model, 4, torch.float32)]

        def answer(built: Any, values: list[Tensor]) -> Tensor:
            return merge(built(values[0])[-1])

        name = "sets"
    else:
        module = encoders.build(model, dtype=torch.float32)
        elements, mask = encoders.sets(6, 5, 3, 1)
        given = [elements.float(), mask]

        def answer(built: Any, values: list[Tensor]) -> Tensor:
            return built(*values)

        name = "codes"
    built = copy.deepcopy(module).to(device)
    there = [part.to(device) for part in given]
    there[0].requires_grad_()
    torch.manual_seed(0)
    out = answer(built, there)
    slope = torch.linspace(-1, 2, out.shape[-1]).to(device)
    weights = [weight for weight in built.parameters() if weight.requires_grad]
    loss = (out * slope).sin().sum()
    slopes = torch.autograd.grad(loss, [there[0], *weights], allow_unused=True, materialize_grads=True)
    found = {name: [out.detach()], "gradient in": [slopes[0]], "gradient of weights": list(slopes[1:])}
    return {what: [part.cpu() for part in parts] for what, parts in found.items()}


def error(there: Values, here: Values) -> float:
    """The largest |there - here| / |here| over what was found, all tensors of a name taken together."""
    found = []
    for name, parts in here.items():
        a, b = (torch.cat([part.flatten() for part in values]) for values in (there[name], parts))
        found.append(float((a - b).norm() / b.norm().clamp(min=1e-12)))
    return max(found)


def rows(device: torch.device, models: Sequence[ModelSpec], until: float) -> Iterator[tuple[str, str, str]]:
    """Row, error and verdict of each model, as many as are begun before ``until`` (of ``time.monotonic``)."""
    cpu = torch.device("cpu")
    for model in models:
        if time.monotonic() > until:
            return
        try:
            off = error(values_of(model, device), values_of(model, cpu))
            yield model.name, f"{off:.1e}", "ok" if off < NEAR else "not ok"
        except Exception as wrong:  # a row that fails is what this looks for
            yield model.name, "", f"not ok: {error_line(wrong)}"


def device_name(device: torch.device) -> str:
    """The GPU's name, or the processor's."""
    return torch.cuda.get_device_name(device) if device.type == "cuda" else processor()


def page(found: Sequence[tuple[str, str, str]], of: int, device: torch.device) -> str:
    """The table, with the device's name."""
    well = sum(verdict == "ok" for *_, verdict in found)
    table = tabulate(found, headers=("row", "largest relative error", ""), tablefmt="pipe", disable_numparse=True)
    where = f"Measured on {device_name(device)}, torch {torch.__version__}, float32, TF32 off, against the CPU."
    return f"# Values on the device\n\n{where} {well} of {len(found)} are ok; {of} rows there are.\n\n{table}\n"


def main(words: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--device", default="cuda", choices=("cpu", "cuda"))
    parser.add_argument("--rows", type=int, help="the first so many alone")
    parser.add_argument("--seconds", type=float, default=float("inf"), help="begin no row after so many")
    parser.add_argument("--out", type=Path, required=True, help="a page in Markdown")
    asked = parser.parse_args(words)
    device, until = torch.device(asked.device), time.monotonic() + asked.seconds
    models = [*model_specs("decoder"), *model_specs("encoder")][: asked.rows]
    with products_in("float32"):
        found = list(rows(device, models, until))
    write_atomically(asked.out, page(found, len(models), device))
    print(f"{len(found)} of {len(models)} rows: {asked.out}")
    return 0 if all(verdict == "ok" for *_, verdict in found) else 1


if __name__ == "__main__":
    raise SystemExit(main())
