"""Invariance approximated: by sampling orders, by an adversary that chooses them. Imports no torch."""

from functools import partial

from setbench.models.entry import Entry
from setbench.options import Option

SOFT_ORDER = {
    "temperature": Option(1.0, "the lower, the nearer to a permutation", above=0),
    "rounds": Option(20, "rounds of Sinkhorn's algorithm", low=1),
}

entry = partial(Entry, package=__package__, kind="encoder", paradigm="sampling", section="Approximated invariance")

ENTRIES: tuple[Entry, ...] = (
    entry(
        name="pi_sgd",
        target="pi_sgd:PiSGD",
        paper="Murphy et al. 2019",
        summary="an RNN on p random orders a training step; twenty predictions are averaged when it is evaluated",
        invariance="approximate",
        why="a mean over p random orders: the error falls as 1/sqrt(p)",
        cost="p N",
        options={
            "phi": Option("lstm", "the network that reads the order", ("lstm", "gru")),
            "p": Option(1, "random orders of a set in one training step", low=1),
            "rho": Option(
                "linear",
                "what follows the state; none and tanh (one layer), a linear head behind them, are the paper's two",
                ("linear", "none", "tanh"),
            ),
        },
        more_rows=("phi=gru",),
    ),
    entry(
        name="permutation_adversary",
        target="permutation_adversary:PermutationAdversary",
        paradigm="sorting",
        section="Sorting",
        paper="Pabbaraju and Jain 2019",
        summary="an LSTM on one soft order for all permutations, which an adversary chooses in training to raise the "
        "loss (as the authors' code predicts; 20 rounds of Sinkhorn's algorithm, theirs 100)",
        why="exact, not approximated: each element's row of the soft permutation comes from that element alone",
        cost="N^2",
        options={"predict": Option("adversary", "the order read when not training", ("adversary",)), **SOFT_ORDER},
        fixed_size=True,
    ),
    entry(
        name="permutation_adversary_raw",
        target="permutation_adversary:PermutationAdversary",
        paper="Pabbaraju and Jain 2019",
        summary="the same LSTM trained against the worst soft permutation, reading the raw order when it predicts "
        "(20 rounds of Sinkhorn's algorithm, the authors' code 100)",
        invariance="approximate",
        why="only as far as training against the adversary has made it so",
        cost="N^2",
        overrides=("predict",),
        options={"predict": Option("raw", "the order read when not training", ("raw",)), **SOFT_ORDER},
        fixed_size=True,
    ),
    entry(
        name="gumbel_sinkhorn",
        target="gumbel_sinkhorn:GumbelSinkhorn",
        paper="Mena et al. 2018",
        summary="an LSTM on learned random soft permutations",
        invariance="approximate",
        why="the noise belongs to the slots: invariant in distribution, not for one draw",
        cost="N^2",
        options=SOFT_ORDER,
        fixed_size=True,
    ),
    entry(
        name="permutation_optimisation",
        target="permutation_optimisation:PermutationOptimisation",
        paper="Zhang et al. 2019b",
        summary="an LSTM on a soft order found by descent on a learned pairwise cost",
        why="the costs permute with the elements, and the descent starts from equal chances for every order",
        cost="N^3",
        options={"steps": Option(4, "steps of descent; the paper has 6 for numbers and 4 for mosaics", low=1)},
    ),
)
