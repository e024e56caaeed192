"""Seeds that exploded or collapsed: what a mean over seeds must not swallow.

A seed **exploded** where its headline is no finite number, or is more than ten times worse than the constant answer's
and, among three seeds or more, more than ten median absolute deviations from their median.

A seed **collapsed** where its encoder tells no sets apart or its answers are the constant's:

- the error relative to the spread between sets is no finite number, or beyond what the claim allows: rounding alone is
  above a tenth of the spread (an exact encoder), or an order moves the code a million times as far as another set does;
- an encoder that depends on the order by construction does not move by a single bit;
- its score is the constant answer's, to six digits.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence

from setbench.bench.records.record import Measured, Record

EXACT = 1e-10  # an exact method shows rounding alone in float64, about 1e-15
DEVIATIONS = 10
TIMES_WORSE = 10
ROUNDING_OF_SPREAD = 0.1
ORDER_OF_SPREAD = 1e6
SAME = 1e-6

EXPLODED, COLLAPSED = "exploded", "collapsed"


def odd_seeds(records: Sequence[Record], constant: Measured | None) -> dict[int, str]:
    """What became of the seeds of one row that are not to be averaged with the others: seed -> "exploded" or
    "collapsed". ``constant`` is the constant answer on the same data."""
    measured = [(record, record.measured) for record in records if record.measured is not None]
    scores = [found.score for _, found in measured]
    odd = {}
    for record, found in measured:
        if _exploded(found, scores, constant):
            odd[record.seed] = EXPLODED
        elif _collapsed(record, found, constant):
            odd[record.seed] = COLLAPSED
    return odd


def _exploded(found: Measured, scores: Sequence[float | None], constant: Measured | None) -> bool:
    score = found.score
    if score is None or not math.isfinite(score):
        return True
    floor = constant.score if constant is not None and constant.headline.metric == found.headline.metric else None
    if floor is None or floor <= 0:  # ten times worse than nothing is nothing
        return False
    higher = found.metric_info[found.headline.metric].higher_is_better
    worse = score * TIMES_WORSE < floor if higher else score > TIMES_WORSE * floor
    finite = [one for one in scores if one is not None]
    if len(finite) < 3 or not worse:
        return worse
    middle = statistics.median(finite)
    deviation = statistics.median(abs(one - middle) for one in finite)
    return abs(score - middle) > DEVIATIONS * deviation


def _collapsed(record: Record, found: Measured, constant: Measured | None) -> bool:
    moved, claim = found.invariance, record.model.invariance_claim
    if moved is not None and moved.max is not None:
        relative = moved.relative_to_spread
        exact = claim == "exact" and moved.max64 is not None and moved.max64 <= EXACT
        if relative is None or relative > (ROUNDING_OF_SPREAD if exact else ORDER_OF_SPREAD):
            return True
        if claim == "none" and moved.max == 0 and moved.max64 == 0:
            return True
    return constant is not None and not record.constant and _scores_alike(found, constant)


def _scores_alike(found: Measured, constant: Measured) -> bool:
    ours, theirs = found.score, constant.score
    if ours is None or theirs is None or found.headline.metric != constant.headline.metric:
        return False
    return math.isclose(ours, theirs, rel_tol=SAME)
