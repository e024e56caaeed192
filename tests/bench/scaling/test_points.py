"""What was measured stays, line by line, whatever happened to the file."""

from __future__ import annotations

from pathlib import Path

import pytest
from points_for_tests import SETUP, point, series

from setbench.bench.scaling.points import Points

ONE = series("deep_sets")


def opened(folder: Path, warnings: list[str] | None = None, **changes: object) -> Points:
    said = [] if warnings is None else warnings
    return Points(folder, SETUP.model_copy(update=changes), said.append)


def test_points_come_back_as_they_were_and_the_later_one_counts(tmp_path: Path) -> None:
    first = opened(tmp_path)
    points = [point(ONE, 8, 1.0), point(ONE, 16, None), point(ONE, 8, 2.0)]
    for one in points:
        first.add(one)
    again = opened(tmp_path)
    assert again.found == first.found == {points[2].key: points[2], points[1].key: points[1]}
    assert len((tmp_path / "points.jsonl").read_text().splitlines()) == 3


@pytest.mark.parametrize("left", [0.0, 0.3, 0.99])
def test_a_line_that_a_crash_has_cut_counts_as_not_measured(left: float, tmp_path: Path) -> None:
    first = opened(tmp_path)
    for size in (8, 16):
        first.add(point(ONE, size, 1.0))
    path = tmp_path / "points.jsonl"
    whole = path.read_bytes()
    start = whole.index(b"\n") + 1
    path.write_bytes(whole[: start + int(left * (len(whole) - start))])
    warnings: list[str] = []
    cut = opened(tmp_path, warnings)
    assert [key[2] for key in cut.found] == [8]
    assert len(warnings) == (left > 0)
    cut.add(point(ONE, 32, 1.0))
    assert [key[2] for key in opened(tmp_path).found] == [8, 32]


def test_another_machine_is_one_line(tmp_path: Path) -> None:
    opened(tmp_path).add(point(ONE, 8, 1.0))
    line = "was measured with cpu a made-up processor, this run has another; give another --results"
    with pytest.raises(ValueError, match=line):
        opened(tmp_path, cpu="another")
    (tmp_path / "setup.json").write_text("{")
    with pytest.raises(ValueError, match=r"setup.json cannot be read: .*; give another --results") as error:
        opened(tmp_path)
    assert "\n" not in str(error.value)


def test_one_run_at_a_time(tmp_path: Path) -> None:
    with opened(tmp_path).claim(), pytest.raises(BlockingIOError, match="another run measures into it"):
        opened(tmp_path).claim().__enter__()
    with opened(tmp_path).claim():
        pass
