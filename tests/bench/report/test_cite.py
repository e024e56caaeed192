"""BibTeX of the suite, and the papers behind rows."""

from __future__ import annotations

import re
from pathlib import Path
from types import SimpleNamespace

import pytest

import setbench
from setbench.bench.report.cite import citation, suite
from setbench.models.catalogue import CATALOGUE
from setbench.options import UnknownName

CFF = (Path(__file__).parents[3] / "CITATION.cff").read_text(encoding="utf-8")


def test_the_suite_is_cited_as_its_file_says() -> None:
    fields = dict(re.findall(r"^  (\w+) = \{(.*)\},$", suite(), re.MULTILINE))
    title, day, author = (re.search(pattern, CFF, re.MULTILINE) for pattern in (
        r'^title: "(.*)"', r'^date-released: "(\d+)-0*(\d+)-', r'- name: "(.*)"'
    ))  # fmt: skip
    assert title
    assert day
    assert author
    assert fields["title"] == f"{{{title[1]}}}"
    assert fields["author"] == f"{{{author[1]}}}"
    assert (fields["year"], fields["month"]) == (day[1], day[2])
    assert fields["howpublished"].endswith(f"version {setbench.__version__}")
    assert suite().count("{") == suite().count("}")


def test_papers_of_names() -> None:
    text = citation(["deep_sets", "janossy:k=2", "fspool + mlp", "raw_mlp"], [])
    for name in ("deep_sets", "janossy", "fspool", "mlp"):
        assert f"% {CATALOGUE[name].paper}: {name}" in text
    assert "% Of no paper: raw_mlp" in text
    assert citation([], []) == suite()


def test_papers_of_records_name_encoder_and_decoder_once(make: SimpleNamespace) -> None:
    records = [
        make.record(
            "clevr_state", "mine + dspn:steps=5", seed=seed, encoder="mine", decoder="dspn:steps=5", paper="A 1"
        )
        for seed in range(3)
    ]
    records += [
        make.record("clevr_state", "lstm decoder", decoder="lstm", paper="B 2"),
        make.constant("clevr_state", 1),
    ]
    lines = [line for line in citation([], records).splitlines() if line.startswith("% ")]
    assert lines[1:] == ["% A 1: mine", "% B 2: lstm", f"% {CATALOGUE['dspn'].paper}: dspn:steps=5"]


def test_an_unknown_name_is_refused() -> None:
    with pytest.raises(UnknownName, match="did you mean 'fspool'"):
        citation(["fspol"], [])
