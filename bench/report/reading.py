"""How to read the leaderboard: what its columns, its marks and its bold rows mean."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from setbench.bench.records.record import Record
from setbench.bench.report.document import Block, Bullets, Grid, Heading, Note
from setbench.bench.report.sections import BROKEN, FLOOR, INCOMPLETE, LIBRARY, ODD, OTHER_CODE

ONE_SEED = "Every model was run under one seed: no interval is known, and small differences are chance."

SHORT = {
    INCOMPLETE: "lacks a seed",
    ODD: "the median, with the ends, since a seed exploded or collapsed",
    OTHER_CODE: "of other code than today's",
    FLOOR: "not better than the constant answer by more than its interval",
    BROKEN: "listed as exactly invariant, and not",
}


def key(grids: Iterable[Grid]) -> list[Note]:
    """A line that says what the marks in some tables mean; none where none stands there."""
    found = meanings(cell.text for grid in grids for row in grid.rows for cell in row)
    return [Note("; ".join(found) + ".")] if found else []


def meanings(texts: Iterable[str]) -> list[str]:
    """``† not better than …`` for every mark that stands in one of these texts."""
    words = {word.rstrip(",") for text in texts for word in text.split()}
    return [f"{mark} {meaning}" for mark, meaning in SHORT.items() if mark in words]


def how_to_read(records: Sequence[Record]) -> list[Block]:
    return [Heading("How to read the tables", 2), Bullets(_reading(records))]


def _reading(records: Sequence[Record]) -> list[str]:
    several = any(record.seed for record in records)
    library = any(record.model.paradigm == LIBRARY for record in records)
    return [
        "One row a model, best first by the headline metric; ↑ means more is better, ↓ less. Rows that share no data, "
        "preset, device, number of threads or precision stand in different tables.",
        *(_statistics() if several else [ONE_SEED]),
        f"{INCOMPLETE} marks a row without a result under one of its seeds, or under one that most rows have: it ranks "
        "behind those that have all, is never bold, and is no best of its paradigm where another row is complete.",
        f"{ODD} marks a row of which a seed exploded (no finite number, or more than ten times worse than the constant "
        "answer and, among three seeds or more, more than ten median absolute deviations from their median) or "
        "collapsed (its encoder tells no sets apart, or it scores as the constant answer to six digits). Its value "
        "is the median over seeds, with the least and the largest.",
        f"{OTHER_CODE} marks a row that other code than today's made (of its model, its task, training or measuring): "
        "--rerun runs it, --replay sees whether its first 50 steps are still the same, and then marks it replayed. "
        "Where it holds for every row of a table, it is said once, over it.",
        f"The row in italics is the best constant answer, which looks at no input. {FLOOR} marks a value whose "
        "interval does not end before it: nothing was learned there that the metric can see.",
        "Train is the seconds of training alone; latency is the median time to predict one batch: in milliseconds, or, "
        "where a table's machine was not equally fast for all its cells, as a multiple of the reference operation "
        "(a product of two 512 x 512 matrices) timed beside it.",
        "Invariance is the largest |f(px) - f(x)| / |f(x)| over random orders p of the test sets, for the trained "
        'encoder f, in float64, and in float32 under "More of each row". An exact method shows rounding alone, about '
        f"1e-15 and 1e-7; the controls show what no invariance looks like. {BROKEN} marks an encoder that is listed as "
        "exact and is not. A dash: the row encodes no set.",
        "Error / spread is the mean |f(px) - f(x)| in float32 over the median |f(x) - f(x')| between different sets: "
        "an encoder that says the same of every set has a small error too, but no spread to hold it against.",
        *([_library()] if library else []),
        "Every seed and every number is in leaderboard.csv (one line a record and way of evaluating it), every "
        "record with its learning curve in records/; leaderboard.html sorts, filters and plots them.",
    ]


def _library() -> str:
    return (
        f"{LIBRARY} is no architecture of the review: these rows are the aggregations that PyTorch Geometric brings "
        "(torch_geometric.nn.aggr), each over a network of every element: what its users have already. The best of "
        "them stands among the others; the rest is folded, and ranks count all."
    )


def _statistics() -> list[str]:
    """What interval, group and smallest difference mean, a sentence each."""
    return [
        "Interval: 12.3 ± 0.4 is the mean over seeds, and the true mean over all seeds lies within 0.4 of it in 95 of "
        "100 such rows; the headline's holds for other test items too where their scores are kept.",
        "Group: in bold are the row that is best on the validation split and those that cannot be told from it, paired "
        "over test items, at an error of 5 % in the whole table (Holm's method over all pairs of rows).",
        "Smallest difference: over each table stands the difference at which the middle one of its rows would be told "
        "from the best; where two rows are nearer than that, their order is chance.",
    ]
