"""All that is to be measured on a GPU, in one command, for whoever has one for half an hour:

    python -m setbench.bench.maintenance.gpu_session --minutes 30 --out results/gpu

Four stages, each in its share of the minutes, each leaving its file in the folder as soon as it is done:

- ``values.md``: every row of the catalogue on the GPU against the CPU (``device_values``);
- ``timings.json``: the timing suite of ``tests/timing``, on this machine's processor (from a clone alone);
- ``steps.md``: step times and busy share of the published cells in float32, TF32 and bf16 (from a clone alone);
- ``table3.md``: DSPN's row of the paper's table 3 (CLEVR states, ResNet34 end to end at 128x128, relation network with
  FSPool, ten inner steps) by the ``paper`` preset through the suite's own command, with checkpoints, for as many of its
  steps as there is time for. The pictures are drawn first, by this machine's cores.

A stage that fails leaves ``NAME.failed.txt`` with the reason, and the next begins. The same command again runs what has
no file yet, and goes on with table 3. ``--device cpu`` runs everything in a tiny form, to see that it runs: no figures.
"""

from __future__ import annotations

import argparse
import io
import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from setbench.bench.records.machine import REPOSITORY, device_kind
from setbench.bench.records.record import Record
from setbench.bench.records.store import Store
from setbench.bench.runner.command import main as run_all
from setbench.files import write_atomically

SHARES = {"values": 0.1, "timings": 0.15, "steps": 0.2}
"""Of the minutes; table 3 has what is left of them."""

FILES = {"values": "values.md", "timings": "timings.json", "steps": "steps.md", "table3": "table3.md"}
TIMING = REPOSITORY / "tests" / "timing"
COLUMNS = ("ap_inf", "ap_1", "ap_0.5", "ap_0.25", "ap_0.125")
GRACE = 1.5
"""Times its share that a stage may take, which ends itself at its share where it can."""

TINY = ("steps=6", "batch=2", "width=16", "latent=16", "image_encoder=small", "timing_repeats=1", "invariance_sets=2")
TINY_SIZES = ("sizes.train=16", "sizes.validation=8", "sizes.test=8")


def command(stage: str, device: str, out: Path, seconds: float, rows: int | None) -> list[str]:
    """The words of a stage that is a program of its own.

    Raises:
        FileNotFoundError: it is a clone's, and this is none.
    """
    small = device == "cpu"
    some = [] if rows is None else ["--rows", str(rows)]
    words = ["--device", device, "--seconds", f"{seconds:.0f}", "--out", str(out), *some]
    if stage == "values":
        return [sys.executable, "-m", "setbench.bench.maintenance.device_values", *words]
    if not TIMING.is_dir():
        raise FileNotFoundError("it needs a clone of the repository, with tests/timing")
    if stage == "steps":
        return [sys.executable, str(TIMING / "device_step.py"), *words, *["--tiny", "--repeats", "2"] * small]
    suite = [sys.executable, "-m", "pytest", str(TIMING), "--benchmark-only", f"--benchmark-json={out}", "-q"]
    return [*suite, *["-k", "reference"] * small]


def measure(stage: str, device: str, folder: Path, seconds: float, rows: int | None) -> str:
    """Run a stage; why it has no file, or ""."""
    out = folder / FILES[stage]
    paths = os.pathsep.join(filter(None, (str(REPOSITORY), os.environ.get("PYTHONPATH"))))
    try:
        words = command(stage, device, out, seconds, rows)
        done = subprocess.run(
            words, env={**os.environ, "PYTHONPATH": paths}, timeout=GRACE * seconds, capture_output=True, text=True
        )
    except FileNotFoundError as error:
        return str(error)
    except subprocess.TimeoutExpired:
        return "" if out.exists() else f"it was stopped after {GRACE * seconds:.0f} s"
    last = (done.stderr.strip() or done.stdout.strip()).splitlines()[-1:]
    return "" if out.exists() else f"exit code {done.returncode}: {''.join(last)}"


def table3(device: str, folder: Path, seconds: float) -> str:
    """Train table 3's row for so long; why there is nothing to show, or ""."""
    results = folder / "table3"
    words = ["--preset", "paper", "--tasks", "clevr_state", "--models", "relation_fspool", "--device", device]
    words += ["--decoders", "dspn:step=paper", "--results", str(results)]
    words += ["--checkpoint", "20", "--time-budget", f"{seconds:.0f}"]
    if device == "cpu":
        words += ["--cache", str(folder / "cache"), "--set", *TINY, *TINY_SIZES]
    run_all(words)
    found = reached(results)
    if found is None:
        return "no step was kept; the run's own lines say why"
    write_atomically(folder / FILES["table3"], page(found, device))
    return ""


def reached(results: Path) -> dict[str, Any] | None:
    """How far the row has come: its steps, seconds, the last losses and scores; from its record where it has ended,
    else from its checkpoint. None where there is neither."""
    for record in Store(results, print).all():
        if not record.constant and record.measured is not None and record.measured.time is not None:
            about = record.measured.gpu or record.machine.cpu
            return _figures(record.settings["steps"], record.measured.time.train, record.measured.curve, about, record)
    for path in (results / "checkpoints").glob("*.pt"):
        import torch

        from setbench.bench.records.record import Curve

        state = torch.load(io.BytesIO(path.read_bytes().partition(b"\n")[2]), map_location="cpu", weights_only=True)
        about = torch.cuda.get_device_name() if torch.cuda.is_available() else ""
        return _figures(state["done"], state["seconds"], Curve(**state["curve"]), about, None)
    return None


def _figures(done: int, seconds: float, curve: Any, about: str, record: Record | None) -> dict[str, Any]:
    scores = record.measured.metrics if record is not None and record.measured is not None else {}
    return {
        "device": about,
        "steps": f"{done:,}",
        "seconds of training": f"{seconds:.0f}",
        "ms a step": f"{1000 * seconds / done:.3g}",
        "training loss lately": curve.loss[-1] if curve.loss else "none yet",
        "validation, headline metric": curve.validation_score[-1] if curve.validation_score else "none yet",
        **{f"test, {variant}": _precisions(values) for variant, values in scores.items()},
    }


def _precisions(values: Mapping[str, float | None]) -> str:
    """The columns of table 3."""
    return ", ".join(f"{name} {value:.4g}" for name, value in values.items() if name in COLUMNS and value is not None)


def page(found: dict[str, Any], device: str) -> str:
    """What there is to say of table 3's row."""
    how = "a tiny form, no figures" if device == "cpu" else "the paper's settings: 218,750 steps in all"
    lines = "\n".join(f"- {name}: {value}" for name, value in found.items())
    return f"# Table 3, DSPN's row\n\nMeasured; {how}.\n\n{lines}\n"


def main(words: Sequence[str] | None = None) -> int:
    """The command; 0 where every stage has its file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=30, help="for everything (default 30)")
    parser.add_argument("--device", default="cuda", choices=("cpu", "cuda"), help="cpu: a tiny form, to see it run")
    parser.add_argument("--out", type=Path, default=Path("results/gpu"), help="a folder (default results/gpu)")
    parser.add_argument("--rows", type=int, help="at most so many rows a stage")
    asked = parser.parse_args(words)
    try:
        device_kind(asked.device)
    except ValueError as error:
        parser.error(str(error))
    if asked.minutes <= 0:
        parser.error(f"--minutes {asked.minutes:g}: it takes a number above 0")
    asked.out.mkdir(parents=True, exist_ok=True)
    end = time.monotonic() + 60 * asked.minutes
    missing = 0
    for stage, file in FILES.items():
        if (asked.out / file).exists() and stage != "table3":
            print(f"{stage}: {file} is there already", flush=True)
            continue
        failed = asked.out / f"{stage}.failed.txt"
        failed.unlink(missing_ok=True)
        start = time.monotonic()
        if stage == "table3":
            reason = table3(asked.device, asked.out, max(20.0, end - start))
        else:
            reason = measure(stage, asked.device, asked.out, 60 * asked.minutes * SHARES[stage], asked.rows)
        if reason:
            missing += 1
            write_atomically(failed, reason + "\n")
        print(f"{stage}: {reason or file}, {time.monotonic() - start:.0f} s", flush=True)
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
