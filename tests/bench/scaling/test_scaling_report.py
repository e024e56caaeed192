"""The tables of made-up points: exponents beside costs, ends with reasons, and what is above the catalogue."""

from __future__ import annotations

import csv
import tomllib
from itertools import combinations
from pathlib import Path

import pytest
from points_for_tests import SETUP, point, series

from setbench.bench.scaling import report
from setbench.bench.scaling.figure import LOOKS, growth_figure
from setbench.bench.scaling.plan import SIZES, Series
from setbench.bench.scaling.points import Points
from setbench.models.catalogue import CATALOGUE, model_specs


@pytest.fixture(scope="module")
def points(tmp_path_factory: pytest.TempPathFactory) -> Points:
    """Steps of 0.001 N^2.5 ms of three encoders whose cost is N^2, of 0.01 N ms of one of cost N, and a failure."""
    found = Points(tmp_path_factory.mktemp("points"), SETUP, print)
    for size in SIZES[:7]:
        found.add(point(series("relation_network"), size, 0.001 * size**2.5, memory_mb=0.01 * size**2))
        found.add(point(series("gin:graph=complete"), size, 0.001 * size**2.5, pages=10_000 * (size > 64)))
        found.add(point(series("edge_conv:graph=complete"), size, 0.001 * size**2.5))
    for size in SIZES:
        found.add(point(series("deep_sets"), size, 0.01 * size))
    found.add(point(series("fspool"), 8, None))
    return found


@pytest.fixture(scope="module")
def text(points: Points) -> str:
    """The page, written once."""
    notes = points.folder / "notes.toml"
    notes.write_text('"edge_conv" = "made up"\n')
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(report, "NOTES", notes)
        return report.write_report(points, [], "a made-up command")[0].read_text()


def cells(text: str, encoder: str) -> list[str]:
    line = next(line for line in text.splitlines() if line.startswith(f"| {encoder} "))
    return [cell.strip() for cell in line.replace("\u00a0", " ").strip("|").split("|")]


def test_a_row_holds_the_growth_beside_the_cost(text: str) -> None:
    assert cells(text, "deep_sets")[:6] == ["deep_sets", "N", "1.00", "1.00 ± 0.00", "1.00 ± 0.00", "–"]
    assert cells(text, "deep_sets")[6:] == ["0.640", "5.12", "41.0", "4,096", "1.00", "all sizes done"]
    row = cells(text, "relation_network")
    assert row[1:6] == ["N^2", "2.00", "**2.50 ± 0.00**", "**2.50 ± 0.00**", "2.00 ± 0.00"]
    assert row[-3:-1] == ["512", "2,621"]
    assert row[-1] == "5.93 s a step at 512 are over the budget of 2 s a step"
    assert cells(text, "fspool")[-1] == "failed at 8: RuntimeError: a made-up error"


def test_what_is_above_the_cost_has_its_note(text: str) -> None:
    lines = [line for line in text.split("## Above the catalogue's cost")[1].splitlines() if line.startswith("- ")]
    assert lines == [
        "- relation_network, batch 32, step: 2.50 ± 0.00 over 64 to 512, where N^2 has 2.00: not explained yet",
        "- relation_network, batch 32, forward: 2.50 ± 0.00 over 64 to 512, where N^2 has 2.00: not explained yet",
        "- gin:graph=complete, batch 32, step: 2.50 ± 0.00 over 64 to 512, where N^2 has 2.00: fresh memory, 0 pages a "
        "call at 64 and 10,000 at 512",
        "- gin:graph=complete, batch 32, forward: 2.50 ± 0.00 over 64 to 512, where N^2 has 2.00: not explained yet",
        "- edge_conv:graph=complete, batch 32, step: 2.50 ± 0.00 over 64 to 512, where N^2 has 2.00: made up",
        "- edge_conv:graph=complete, batch 32, forward: 2.50 ± 0.00 over 64 to 512, where N^2 has 2.00: made up",
    ]


def test_the_page_says_what_the_numbers_belong_to(text: str) -> None:
    for words in (
        "a made-up processor, 2 cores, 8 GB, Linux; on cpu",
        "1 thread a process, one process at a time; torch 2.0",
        "commit abc; 5 hashes of code",
        "4 features, width 64, a code of 64",
        "a made-up command",
    ):
        assert words in text


def test_exponents_as_csv(text: str, points: Points) -> None:
    lines = list(csv.DictReader((points.folder / "exponents.csv").read_text().splitlines()))
    found = {(line["encoder"], line["quantity"]): line for line in lines}
    assert float(found["relation_network", "step"]["exponent"]) == pytest.approx(2.5)
    assert found["relation_network", "step"]["above"] == "True"
    assert (found["deep_sets", "step"]["from"], found["deep_sets", "step"]["to"]) == ("512", "4096")
    assert ("fspool", "step") not in found


def test_every_note_is_about_an_encoder_that_there_is() -> None:
    names = {spec.name for spec in model_specs("encoder")} | set(CATALOGUE)
    assert set(tomllib.loads(report.NOTES.read_text(encoding="utf-8"))) <= names


def test_lines_differ_without_colour(points: Points) -> None:
    curves, unknown = report.curves_of(points, [])
    assert not unknown
    figure = growth_figure(curves, "made up")
    assert figure is not None
    legend = figure.axes[-1].get_legend()
    assert legend is not None
    names = [text.get_text() for text in legend.get_texts()]
    assert names == [
        "relation_network",
        "gin:graph=complete",
        "edge_conv:graph=complete",
        "deep_sets",
    ]  # as their lines end
    assert all(one != other for one, other in combinations(LOOKS, 2))
    assert len(LOOKS) > 30
    guides = {text.get_text() for text in figure.axes[0].texts}
    assert guides == {"N²", "N"}
    assert growth_figure([report.Curve(Series(curves[0].series.model, 1), [], "")], "nothing") is None


def test_an_encoder_that_is_gone_is_said(tmp_path: Path) -> None:
    points = Points(tmp_path, SETUP, print)
    points.add(point(series("deep_sets"), 8, None, encoder="gone"))
    text = report.write_report(points, [], "")[0].read_text()
    assert "no longer in the catalogue, and left out: gone" in text
