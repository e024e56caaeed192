"""Claims printed into pages, between marks: ``<!-- claims PLACE -->`` and ``<!-- /claims -->``."""

from __future__ import annotations

import re
from collections.abc import Sequence

from setbench.bench.report.claims.claim import Judged

MARKS = re.compile(r"(<!-- claims (\S+) -->\n).*?(<!-- /claims -->)", re.DOTALL)


class NotCarried(ValueError):
    """A claim that was to be printed, in one line."""


def printed(texts: Sequence[str], judged: Sequence[Judged]) -> list[str]:
    """The pages with the sentences of each place between its marks, one a line of a list.

    Raises:
        NotCarried: the records do not carry one of them, or its place is in none of the pages.
    """
    wrong = [one.claim.name for one in judged if not one.carried]
    if wrong:
        raise NotCarried(f"not printed, since the records do not carry it: {', '.join(wrong)}")
    places = {found[2] for text in texts for found in MARKS.finditer(text)}
    lost = [one.claim.name for one in judged if one.claim.place not in places]
    if lost:
        raise NotCarried(f"not printed, since no page given has marks for its place: {', '.join(lost)}")

    def filled(found: re.Match[str]) -> str:
        sentences = [f"- {one.sentence}\n" for one in judged if one.claim.place == found[2]]
        return found[1] + "".join(sentences) + found[3]

    return [MARKS.sub(filled, text) for text in texts]
