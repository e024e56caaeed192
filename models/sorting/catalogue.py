"""Sorting: one order for all permutations, fixed, learned, relaxed or of each feature by itself. Imports no torch."""

from models.entry import Entry, Option

NET = Option("mlp", "the order-sensitive network behind the sort", ("mlp", "lstm", "conv1d"))
PIECES = Option(20, "pieces of the weight function of the rank")

ENTRIES: tuple[Entry, ...] = (
    Entry(
        name="canonical_sort",
        target="models.sorting.canonical_sort:CanonicalSort",
        kind="encoder",
        paradigm="sorting",
        section="Sorting",
        paper="Murphy et al. 2019, section 2.3",
        summary="sort by a fixed key, ties by content, before an order-sensitive network",
        why="one order for all permutations; discontinuous where two elements change places",
        cost="N log N",
        options={
            "key": Option(0, "the feature sorted by, or a fixed random projection", words=("projection",)),
            "net": NET,
        },
        rows=("net=mlp", "net=lstm", "net=conv1d"),
        fixed_size=True,
    ),
    Entry(
        name="fspool",
        target="models.sorting.fspool:FSPool",
        kind="encoder",
        paradigm="sorting",
        section="Sorting",
        paper="Zhang et al. 2020 (FSPool)",
        summary="sort each feature by itself, sum with learned weights of the relative rank",
        why="a sorted list is the same for all permutations",
        cost="N log N",
        options={"pieces": PIECES},
    ),
    Entry(
        name="relation_fspool",
        target="models.sorting.relation_fspool:RelationFSPool",
        kind="encoder",
        paradigm="sorting",
        section="Sorting",
        paper="Zhang et al. 2019 (DSPN)",
        summary="DSPN's own: a network of all ordered pairs, pooled by FSPool",
        why="a sorted list is the same for all permutations",
        cost="N^2 log N",
        options={"pieces": PIECES},
    ),
)
