"""Seeded fake records of several tasks, seeds and statuses, hostile names among them."""

from __future__ import annotations

import json
import math
import random
from types import SimpleNamespace
from typing import Any

import pytest

from setbench.bench.records.record import SCHEMA, Record


@pytest.fixture(autouse=True)
def of_todays_code(monkeypatch: pytest.MonkeyPatch) -> None:
    """These records were made by no code; tests/bench/runner/test_rows_of_other_code.py is about those of another."""
    monkeypatch.setattr("setbench.bench.report.result.of_this_code", lambda record: True)


HOSTILE = "evil|row <script>alert('x')</script> **bold** `tick` $x$ [a](http://e.vil)\n# head"

TASKS: dict[str, dict[str, Any]] = {
    "rotated_square": {
        "asks": "From (cos 4a, sin 4a) give the four corners of the square turned by the angle a.",
        "good": "mean_error is how far a corner is off, in half-diagonals: the best constant has 0.38, 0 is perfect.",
        "group": "image or vector in, set out",
        "metrics": {"mean_error": ("half-diagonals", False), "worst_error": ("half-diagonals", False)},
        "data": ("angles", "sampled"),
        "scale": 0.38,
        "sets": True,
    },
    "clevr_state": {
        "asks": "From a picture of a CLEVR scene give every object's position, shape, colour, material and size.",
        "good": "ap_inf is average precision, in per cent, where the four attributes are all right: 100 is perfect.",
        "group": "image or vector in, set out",
        "metrics": {
            f"ap_{rule}{at}": ("%", True) for rule in ("", "published_") for at in ("inf", "1", "0.5", "0.25", "0.125")
        },
        "data": ("rendered scenes", "rendered"),
        "scale": 6.0,
        "sets": True,
    },
    "set_digits_classes": {
        "asks": "Say which digit the bright pixels of a handwritten digit (not MNIST), a set of points, show.",
        "good": "accuracy is the percentage of digits that are right: guessing gives about 10, 100 is perfect.",
        "group": "set in, label out",
        "metrics": {"accuracy": ("%", True)},
        "data": ("scikit-learn digits", "embedded"),
        "scale": 11.0,
        "sets": False,
    },
    "arithmetic_variance": {
        "asks": "The variance (divided by n) of ten integers of 0 to 99.",
        "good": "rmse is the root of the mean squared error: 0 is perfect.",
        "group": "set in, number out",
        "metrics": {"rmse": ("", False), "accuracy": ("%", True)},
        "data": ("ten integers", "sampled"),
        "scale": 240.0,
        "sets": False,
    },
}
ENCODERS = [  # name, paradigm, claim
    ("deep_sets", "permuting", "exact"),
    ("janossy:k=2", "permuting", "exact"),
    ("janossy:k=3", "permuting", "exact"),
    ("relation_network", "permuting", "exact"),
    ("fspool", "sorting", "exact"),
    ("relation_fspool", "sorting", "exact"),
    ("canonical_sort:net=lstm", "sorting", "exact"),
    ("pi_sgd", "sampling", "approximate"),
    ("set_transformer", "attention", "exact"),
    ("set2set", "attention", "exact"),
    ("pyg_gin", "graphs", "exact"),
    ("pyg_edge_conv", "graphs", "exact"),
    ("raw_mlp", "control", "none"),
    ("raw_lstm", "control", "none"),
]


MODEL = {
    "paradigm": "permuting",
    "section": "Permuting & averaging",
    "paper": "Zaheer et al. 2017",
    "invariance_claim": "exact",
    "why": "",
}
TIME = {
    "wall": 40.0,
    "train": 30.0,
    "evaluate": 8.0,
    "rest": 2.0,
    "throughput": 2100.0,
    "latency_ms": 4.0,
    "latency_batch": 32,
    "reference_ms": 2.0,
}
INVARIANCE = {
    "dtype": "float32",
    "mean": 1e-7,
    "max": 3e-7,
    "mean64": 1e-16,
    "max64": 4e-16,
    "relative_to_spread": 1e-6,
    "worst": 5e-7,
}
MACHINE = {"cpu": "Fake CPU 3000", "cores": 2, "platform": "Linux x86_64", "memory_gb": 8}
WHOLE = {
    "status": "ok",
    "reason": "",
    "traceback": "",
    "encoder": None,
    "decoder": None,
    "constant": False,
    "seed": 0,
    "preset": "quick",
    "device": "cpu",
    "threads": 1,
    "settings": {
        "steps": 2000,
        "batch": 32,
        "learning_rate": 0.001,
        "latent": 64,
        "width": 64,
        "head": "mlp",
        "sizes": {"train": 4000, "test": 1000},
    },
    "tuned": "",
    "data_key": "",
    "seconds": 41.5,
    "versions": {"python": "3.11.9", "torch": "2.13.0+cpu"},
    "commit": "abc123def456",
    "dirty": False,
    "command": "python run_all.py --tasks clevr_state --seeds 0-2",
    "finished": "2026-11-22T03:10:00Z",
}


def about(task: str) -> dict[str, Any]:
    """What is known of a task; of one that is not of the suite, what is known of a task with accuracy."""
    return TASKS.get(task, TASKS["set_digits_classes"])


def make_record(task: str, row: str, **changes: Any) -> Record:
    """A record with what is named changed, wherever it stands in it: ``score``, ``seed``, ``paradigm``, ``gpu`` ...

    ``time``, ``invariance`` and ``machine`` may be given in part; ``measured=None`` is a cell without a result.
    """
    facts = about(task)
    name = f"{abs(hash((task, row, str(sorted(changes.items(), key=str))))):016x}"[:16]
    score = changes.pop("score", 1.0)
    measured: dict[str, Any] = {
        "data": {"name": facts["data"][0], "kind": facts["data"][1], "checksum": "0123456789abcdef"},
        "notes": [],
        "independent_items": None,
        "headline": {"metric": next(iter(facts["metrics"])), "variant": ""},
        "metrics": {"": dict.fromkeys(facts["metrics"], score)},
        "metric_info": {
            name: {"unit": unit, "higher_is_better": higher, "meaning": f"what {name} measures"}
            for name, (unit, higher) in facts["metrics"].items()
        },
        "curve": {"step": [0, 1000, 2000], "loss": [1.0, 0.5, 0.25]},
        "figures": {},
        "calibration": {},
        "time": TIME,
        "invariance": INVARIANCE,
        "parameters": 12345,
        "peak_memory_mb": 123.4,
        "gpu": None,
    }
    order = list(TASKS).index(task) if task in TASKS else len(TASKS)
    texts = {**{k: facts[k] for k in ("asks", "good", "group")}, "order": order}
    record: dict[str, Any] = {"id": name, "schema": SCHEMA, "task": task, "row": row, **WHOLE, "task_text": texts}
    model = dict(MODEL)
    for part, defaults in (("time", TIME), ("invariance", INVARIANCE)):
        if changes.get(part):
            measured[part] = {**defaults, **changes.pop(part)}
    record["machine"] = {**MACHINE, **changes.pop("machine", {})}
    for key, value in changes.items():
        home = model if key in model else measured if key in measured else record
        home[key] = value
    record |= {"model": model, "measured": changes.get("measured", measured)}
    return Record.parse(json.dumps(finite(record)))


def finite(value: Any) -> Any:
    """As records are stored: null for what is no finite number."""
    if isinstance(value, dict):
        return {key: finite(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [finite(inner) for inner in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def make_constant(task: str, score: float, **changes: Any) -> Record:
    """The best constant answer, as a cell stores it: no time, no invariance, no parameters."""
    empty = {"time": None, "invariance": None, "parameters": None, "paradigm": "", "invariance_claim": ""}
    return make_record(task, "best constant", score=score, constant=True, **empty, **changes)


def make_failure(task: str, row: str, status: str, reason: str, **changes: Any) -> Record:
    """A cell that ended before it had data, metrics or a device."""
    return make_record(task, row, measured=None, status=status, reason=reason, **changes)


def make_fleet(seeds: int = 3) -> list[Record]:
    """A realistic results folder: four tasks, all encoders, plain decoders, constants, failures, a hostile name."""
    rng = random.Random(0)
    records = []
    for task, facts in TASKS.items():
        higher = next(iter(facts["metrics"].values()))[1]
        records.append(make_constant(task, facts["scale"]))
        rows: list[tuple[str, str | None, str | None, str, str]]
        if facts["sets"]:
            rows = [(f"{e} + dspn", e, "dspn", p, c) for e, p, c in ENCODERS]
            rows += [("mlp decoder", None, "mlp", "decoder", ""), ("lstm decoder", None, "lstm", "decoder", "")]
        else:
            rows = [(e, e, None, p, c) for e, p, c in ENCODERS]
        for row, encoder, decoder, paradigm, claim in rows:
            base = facts["scale"] * (rng.uniform(0.9, 12) if higher else rng.uniform(0.02, 1.05))
            base = min(base, 97.0) if higher else base
            seconds, latency = math.exp(rng.uniform(2, 5)), math.exp(rng.uniform(0, 4))
            loss_of_order = {"exact": 3e-16, "approximate": 0.02, "none": 0.4}.get(claim, 0.0) * rng.uniform(0.5, 2)
            variants = (
                ["T=10", "T=20", "T=30"] if decoder == "dspn" else ["p=20", "p=1"] if encoder == "pi_sgd" else [""]
            )
            for seed in range(seeds):
                score = base * rng.uniform(0.93, 1.05)
                metrics = {
                    variant: {
                        name: score * (0.97**v) * ((0.7 if way else 1.6) ** m)
                        for m, (name, (_, way)) in enumerate(facts["metrics"].items())
                    }
                    for v, variant in enumerate(variants)
                }
                angles = [float(k) for k in range(90)]
                figures = {
                    "angle": angles,
                    "error": [score * (0.3 + math.sin(math.radians(4 * a)) ** 2) for a in angles],
                }
                records.append(
                    make_record(
                        task,
                        row,
                        id=f"{len(records):016x}",
                        seed=seed,
                        encoder=encoder,
                        decoder=decoder,
                        paradigm=paradigm,
                        invariance_claim=claim,
                        notes=["frozen features"] if task == "clevr_state" else [],
                        headline={"metric": next(iter(facts["metrics"])), "variant": variants[0]},
                        metrics=metrics,
                        figures=figures if task == "rotated_square" else {},
                        time={
                            "train": seconds * rng.uniform(0.95, 1.05),
                            "wall": seconds * 1.2,
                            "latency_ms": latency,
                            "latency_batch": 32,
                            "reference_ms": 2.0,
                        },
                        invariance={
                            "dtype": "float32",
                            "max": loss_of_order + 2e-7,
                            "max64": loss_of_order,
                            "mean": loss_of_order / 3,
                            "mean64": loss_of_order / 3,
                        }
                        if encoder
                        else None,
                        parameters=rng.randrange(10_000, 300_000),
                    )
                )
    full = "10! = 3,628,800 terms a set, over the 10,000 of this preset"
    records.append(make_failure("clevr_state", "janossy:k=N + dspn", "intractable", full, encoder="janossy:k=N"))
    records.append(make_failure("clevr_state", HOSTILE, "failed", "", traceback="Traceback\n  x\nValueError: a|b <i>"))
    records.append(make_failure("set_digits_classes", "hyper", "timed_out", "over the limit of 60 s"))
    lost = "loss is NaN at step 12"
    records.append(make_failure("arithmetic_variance", "deep_sets", "diverged", lost, seed=3, encoder="deep_sets"))
    records.append(make_record("arithmetic_variance", HOSTILE, score=20.0, encoder=HOSTILE))
    return records


@pytest.fixture
def fleet() -> list[Record]:
    return make_fleet()


@pytest.fixture
def make() -> SimpleNamespace:
    """The makers: ``make.record(task, row, score=…)``, ``make.constant``, ``make.failure``; ``make.hostile``."""
    return SimpleNamespace(record=make_record, constant=make_constant, failure=make_failure, hostile=HOSTILE)
