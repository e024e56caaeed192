"""A set that is read in pieces: which encoders can give the whole set's code, what it costs them, and what is lost
where the codes of the pieces are averaged for want of better (mini-batch consistency: Bruno et al. 2021)."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import Any

import pandas as pd
import torch
from matplotlib.figure import Figure
from torch import Tensor

from setbench.bench.experiments.command import main
from setbench.bench.experiments.intervals import interval, text
from setbench.bench.experiments.look import LEVEL, line, panels
from setbench.bench.experiments.numbers_of_sets import Problem, learn_number
from setbench.bench.experiments.pieces import reader
from setbench.bench.experiments.study import Fit, Report, Run, Setting, Study, few, scaled
from setbench.bench.experiments.training import TEST
from setbench.sets import SetBatch
from setbench.specs import SetSpec

SIZE = 32
PIECES = (1, 2, 4, 8)
SETS, REPEATS = 200, 3
ENCODERS = (
    "deep_sets",
    "deep_sets:pool=sum",
    "deep_sets:pool=max",
    "janossy:k=1",
    "janossy:k=2",
    "pointnet",
    "set2set",
    "set_transformer:variant=code",
    "fspool",
    "nonlocal_gnn",
    "pi_sgd:phi=gru",
    "gin:graph=knn",
    "pna:graph=knn",
    "relation_network",
)
SPEC = SetSpec(features=2, max_size=SIZE, positions=slice(0, 2))


def settings(scale: float) -> list[Setting]:
    return [{"encoder": encoder} for encoder in few(ENCODERS, scale)]


def draw_sets(count: int, generator: torch.Generator) -> SetBatch:
    """Points in the unit square around a few centres that each set has for itself; in no order."""
    centres = torch.rand(count, 4, 2, generator=generator)
    chosen = torch.randint(4, (count, SIZE, 1), generator=generator).expand(-1, -1, 2)
    points = centres.gather(1, chosen) + 0.1 * torch.randn(count, SIZE, 2, generator=generator)
    return SetBatch(points, torch.ones(count, SIZE, dtype=torch.bool))


def label(sets: SetBatch) -> Tensor:
    """The largest distance of two points of a set: it may be between two pieces."""
    return torch.cdist(sets.elements, sets.elements).amax(dim=(1, 2))


def fit(setting: Setting, run: Run) -> Fit:
    problem = Problem(SPEC, draw_sets, label)
    learned = learn_number(problem, setting["encoder"], "mlp", run)
    encoder = learned.predictor.encoder
    sets, right = problem.examples(scaled(SETS, run.scale), TEST)
    floor = (right - right.median()).abs().mean()

    def off(codes: Tensor) -> float:
        return ((learned.of_codes(codes) - right).abs().mean() / floor).item()

    def measure() -> list[dict[str, Any]]:
        """Errors are mean absolute ones over that of the best constant, the median of the test sets."""
        encoder.frozen_seed = run.seed if encoder.random else None
        found = []
        with torch.no_grad():
            whole, seconds = timed(lambda: encoder(sets.elements))
            reads = reader(encoder)
            for count in PIECES:
                pieces = sets.elements.chunk(count, dim=1)
                averaged = torch.stack([encoder(piece) for piece in pieces]).mean(dim=0)
                one: dict[str, Any] = {"pieces": count, "averaged": off(averaged), "reads": reads[1] if reads else "no"}
                if reads is not None:
                    read, taken = timed(partial(reads[0], pieces))
                    gap = ((read - whole).norm() / whole.norm()).item()
                    one |= {"read": off(read), "gap": gap, "times": taken / seconds}
                found.append(one)
        return found

    return Fit(learned.validation, measure)


def timed(work: Callable[[], Tensor]) -> tuple[Tensor, float]:
    """A result, and the least seconds of the processor that it took."""
    taken = []
    for _ in range(REPEATS):
        start = time.process_time()
        result = work()
        taken.append(time.process_time() - start)
    return result, max(min(taken), 1e-9)


def report(rows: pd.DataFrame) -> Report:
    table, findings = [], []
    for encoder, part in rows.groupby("encoder", sort=False):
        by_count = dict(list(part.groupby("pieces")))
        can = part["reads"].iloc[0]
        most = by_count[max(PIECES)]
        table.append(
            {"encoder": encoder, "reads the pieces": can, "whole": text(by_count[1]["averaged"])}
            | {f"codes of {count} averaged": text(by_count[count]["averaged"]) for count in PIECES[1:]}
            | (
                {f"read in {max(PIECES)}": text(most["read"]), "time / whole": text(most["times"])}
                if can != "no"
                else {}
            )
        )
        if can != "no":
            findings.append(
                f"{encoder} reads the pieces {can}: its code is off by {part['gap'].max():.0e} of its norm at most, "
                f"{max(PIECES)} pieces take {text(most['times'])} times the time of the whole set."
            )
    cannot = sorted(set(rows[rows["reads"] == "no"]["encoder"]))
    findings.append(f"No way to read pieces is known here for {', '.join(cannot)}." if cannot else "All can.")
    return Report(
        [("Error over that of the best constant (below 1 is better):", pd.DataFrame(table).fillna("–"))],
        findings,
        draw(rows),
        "error against the number of pieces whose codes are averaged, for encoders that can read in pieces and that "
        "cannot",
    )


def draw(rows: pd.DataFrame) -> Figure:
    titles = {True: "can read in pieces, codes averaged instead", False: "cannot, codes averaged"}
    there = {titles[can]: rows[(rows["reads"] != "no") == can] for can in (True, False)}
    figure, axes = panels([title for title, part in there.items() if len(part)], "What averaging codes loses", 5.2, 4.4)
    for title, ax in axes.items():
        for place, (encoder, part) in enumerate(there[title].groupby("encoder", sort=False)):
            points = [(count, *interval(one["averaged"])) for count, one in part.groupby("pieces")]
            line(ax, points, place, str(encoder))
        ax.axhline(1, **LEVEL)
        ax.set_xscale("log", base=2)
        ax.set_yscale("log")
        ax.set_xticks(PIECES, [str(count) for count in PIECES])
        ax.set_xlabel("pieces")
        ax.legend(fontsize=7, frameon=True)
    next(iter(axes.values())).set_ylabel("error / error of the best constant")
    return figure


STUDY = Study(
    name="chunks",
    title="A set that is read in pieces",
    question="A set may be too large to be seen at once, or come piece by piece. Which encoders can give its code all "
    "the same, what does it cost them, and what is lost where the codes of the pieces are averaged instead?",
    method=[
        f"Sets of {SIZE} points around four centres of their own; the label is the largest distance of two points, "
        "which may be in different pieces. Trained on whole sets, squared error, MLP head, fresh sets at every step; "
        "latent and width 64. Pieces are equal parts, in no order.",
        "Readers: what is kept between pieces is the running sum or maximum of a network of each element; Set2Set "
        "reads once a step and keeps the attention's largest score and sums; k = 2 reads every two pieces together.",
        f"Time is the processor's for {SETS} sets, the least of {REPEATS}. pi-SGD has one frozen draw.",
    ],
    limits=[
        "That no reader is written here for an encoder does not prove that there is none.",
        "Memory is not measured: a reader holds one piece (k = 2: two) in place of the set.",
        "Averaging is the plainest of what could be done with several codes; training on pieces might mend what it "
        "loses.",
    ],
    settings=settings,
    fit=fit,
    report=report,
    steps=500,
)

if __name__ == "__main__":
    main(STUDY)
