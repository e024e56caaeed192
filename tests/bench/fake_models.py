"""Encoders that end badly, each in its own way; with their lines for the catalogue. Imports no torch until loaded."""

from setbench.models.entry import Entry


def _entry(name: str, kind: str) -> Entry:
    return Entry(
        name=name,
        target=f"bad_encoders:{kind}",
        kind="encoder",
        paradigm="control",
        section="Control",
        paper="",
        summary="made up for a test",
    )


FAKES = (
    _entry("raising", "Raising"),
    _entry("nan_loss", "NanLoss"),
    _entry("endless", "Endless"),
    _entry("slow_when_large", "SlowWhenLarge"),
    _entry("hungry_when_large", "HungryWhenLarge"),
)
