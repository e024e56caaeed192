"""Sorting: one order for all permutations, fixed, learned, relaxed or of each feature by itself. Imports no torch."""

from functools import partial

from setbench.models.entry import Entry
from setbench.options import Option

NET = Option("mlp", "the order-sensitive network behind the sort", ("mlp", "lstm", "conv1d"))
REGULARIZATION = Option("l2", "what keeps the projection on the permutahedron smooth", ("l2", "kl"))
STRENGTH = Option(1.0, "of the regularisation, in units of the average gap; towards 0 the sort becomes hard", above=0)
PIECES = Option(20, "pieces of the weight function of the rank", low=1)

entry = partial(Entry, package=__package__, kind="encoder", paradigm="sorting", section="Sorting")

ENTRIES: tuple[Entry, ...] = (
    entry(
        name="canonical_sort",
        target="canonical_sort:CanonicalSort",
        paper="Murphy et al. 2019, section 2.3",
        summary="sort by a fixed key, ties by content, before an order-sensitive network",
        why="one order for all permutations; discontinuous where two elements change places",
        cost="N log N",
        options={
            "key": Option(0, "the feature sorted by, or a fixed random projection", words=("projection",), low=0),
            "net": NET,
        },
        rows=("net=mlp", "net=lstm", "net=conv1d"),
        fixed_size=True,
    ),
    entry(
        name="score_sort",
        target="score_sort:ScoreSort",
        paper="Grover et al. 2019; Prillo & Eisenschlos 2020",
        summary="sort by a learned score, gradients straight through a relaxed sort, before an order-sensitive network",
        why="one order for all permutations; its gradient in the score is that of a surrogate",
        cost="N^2 entries of the relaxed permutation",
        options={
            "net": NET,
            "surrogate": Option("neuralsort", "the relaxed sort of the backward pass", ("neuralsort", "softsort")),
            "temperature": Option(1.0, "of the relaxed sort, in units of the score", above=0),
        },
        fixed_size=True,
    ),
    entry(
        name="soft_sort",
        target="soft_sort:SoftSort",
        paper="Blondel et al. 2020",
        summary="learned features, each softly sorted over the set, before an order-sensitive network",
        why="a softly sorted list is the same for all permutations",
        cost="N log N",
        options={
            "net": NET,
            "regularization": REGULARIZATION,
            "strength": STRENGTH,
            "channels": Option(
                "latent",
                "learned features that are sorted: as many as FSPool's, or a number",
                words=("latent",),
                low=1,
            ),
        },
        fixed_size=True,
    ),
    entry(
        name="soft_rank",
        target="soft_rank:SoftRank",
        paper="Blondel et al. 2020",
        summary="soft ranks of learned scores as features of the elements, then the mean of a network",
        why="an element's soft rank does not depend on where it stands",
        cost="N log N",
        options={
            "regularization": REGULARIZATION,
            "strength": STRENGTH,
            "channels": Option(4, "learned scores, each ranked by itself", low=1),
        },
    ),
    entry(
        name="nonlocal_gnn",
        target="nonlocal_gnn:NonLocalGNN",
        paper="Liu, Wang & Ji 2021",
        summary="sort by a learned score, convolve along the order, unsort, average",
        why="one order for all permutations; discontinuous where two elements change places",
        cost="N log N",
        options={"kernel": Option(5, "length of the convolutions; odd", tuple(range(1, 32, 2)))},
    ),
    entry(
        name="fspool",
        target="fspool:FSPool",
        paper="Zhang et al. 2020 (FSPool)",
        summary="sort each feature by itself, sum with learned weights of the relative rank",
        why="a sorted list is the same for all permutations",
        cost="N log N",
        options={"pieces": PIECES},
    ),
    entry(
        name="relation_fspool",
        target="relation_fspool:RelationFSPool",
        paper="Zhang et al. 2019 (DSPN)",
        summary="DSPN's own: a network of all ordered pairs, pooled by FSPool",
        why="a sorted list is the same for all permutations",
        cost="N^2 log N",
        options={"pieces": PIECES},
    ),
    entry(
        name="fspool_autoencoder",
        target="fspool_autoencoder:FSPoolAutoEncoder",
        kind="predictor",
        paper="Zhang et al. 2020 (FSPool)",
        summary="set to code to the same set; the decoder is given the encoder's permutation, so no matching is needed",
        why="the code is that of relaxed sorted lists, the same for all permutations",
        cost="N^2",
        options={"pieces": PIECES},
    ),
)
