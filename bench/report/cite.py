"""How to cite the suite, and which papers stand behind rows, as far as the catalogue knows them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import setbench
from setbench.bench.records.record import Record
from setbench.models.catalogue import CATALOGUE
from setbench.options import UnknownName, nearest, split

FILE = Path(setbench.__file__).with_name("CITATION.cff")


def citation(names: Iterable[str], records: Sequence[Record]) -> str:
    """BibTeX of the suite; below it, as comments, the papers of the models and decoders named and of the rows that
    ``records`` have.

    Raises:
        UnknownName: no model or decoder is called so, with the nearest.
    """
    rows: dict[str, dict[str, None]] = {}  # paper -> the rows behind which it stands, in order
    for name in names:
        for part in name.split(" + "):
            rows.setdefault(_paper(part), {})[part] = None
    for record in records:
        if not record.constant:
            parts = {record.encoder or record.decoder or record.row: record.model.paper}
            if record.encoder and record.decoder and split(record.decoder)[0] in CATALOGUE:
                parts[record.decoder] = _paper(record.decoder)
            for part, paper in parts.items():
                rows.setdefault(paper, {})[part] = None
    papers = [f"% {paper}: {', '.join(rows[paper])}" for paper in sorted(rows) if paper]
    if papers:
        papers.insert(0, "% The papers behind the rows, by the names that the catalogue has; it knows no more.")
    if "" in rows:
        papers.append(f"% Of no paper: {', '.join(rows[''])}")
    return "\n\n".join(filter(None, (suite(), "\n".join(papers))))


def _paper(name: str) -> str:
    known = split(name)[0]
    if known not in CATALOGUE:
        raise UnknownName(f"--cite: no model or decoder is called {known!r}; {nearest(known, CATALOGUE)}")
    return CATALOGUE[known].paper


def suite() -> str:
    """The suite's BibTeX, made from CITATION.cff."""
    import yaml

    about = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    year, month, _ = str(about["date-released"]).split("-")
    fields = {
        "title": f"{{{about['title']}}}",
        "author": " and ".join(f"{{{author['name']}}}" for author in about["authors"]),
        "year": year,
        "month": month.lstrip("0"),
        "howpublished": f"Software, version {about['version']}",
        "url": about.get("repository-code", ""),
    }
    lines = [f"  {name} = {{{value}}}," for name, value in fields.items() if value]
    return "\n".join(["@misc{setbench,", *lines, "}"])
