"""Claims printed into a page, between marks: ``<!-- claims PLACE -->`` and ``<!-- /claims -->``."""

from __future__ import annotations

import re
from collections.abc import Sequence

from setbench.bench.report.claims.claim import Judged

MARKS = re.compile(r"(<!-- claims (\S+) -->\n).*?(<!-- /claims -->)", re.DOTALL)


class NotCarried(ValueError):
    """A claim that was to be printed, in one line."""


def printed(text: str, judged: Sequence[Judged]) -> str:
    """The page with the sentences of each place between its marks, one a line of a list.

    Raises:
        NotCarried: the records do not carry one of them, or its place is not in the page.
    """
    wrong = [one.claim.name for one in judged if not one.carried]
    if wrong:
        raise NotCarried(f"not printed, since the records do not carry it: {', '.join(wrong)}")
    places = {found[2] for found in MARKS.finditer(text)}
    lost = [one.claim.name for one in judged if one.claim.place not in places]
    if lost:
        raise NotCarried(f"not printed, since the page has no marks for its place: {', '.join(lost)}")

    def filled(found: re.Match[str]) -> str:
        sentences = [f"- {one.sentence}\n" for one in judged if one.claim.place == found[2]]
        return found[1] + "".join(sentences) + found[3]

    return MARKS.sub(filled, text)
