"""docs/records.md is what the types say."""

from pathlib import Path

from setbench.bench.records.describe import page
from setbench.bench.records.record import Measured, Record, Status

PAGE = Path(__file__).parents[3] / "docs" / "records.md"


def test_the_page_is_that_of_the_types() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "python -m setbench.bench.records.describe > docs/records.md"


def test_the_page_names_every_status_and_field() -> None:
    text = page()
    assert all(f"- `{status}`: {status.meaning}" in text for status in Status)
    for part in (Record, Measured):
        assert all(f"| `{field.alias or name}` |" in text for name, field in part.model_fields.items())
