"""Invariance approximated: by sampling orders, by an adversary that chooses them. Imports no torch."""

from models.entry import Entry, Option

ENTRIES: tuple[Entry, ...] = (
    Entry(
        name="pi_sgd",
        target="models.sampling.pi_sgd:PiSGD",
        kind="encoder",
        paradigm="sampling",
        section="Approximated invariance",
        paper="Murphy et al. 2019",
        summary="an RNN on one random order a step; several are averaged when it is evaluated",
        invariance="approximate",
        why="a mean over p random orders: the error falls as 1/sqrt(p)",
        cost="p N",
        options={"phi": Option("lstm", "the network that reads the order", ("lstm", "gru"))},
    ),
)
