"""Catalogue entries. Imports no torch."""

from models.entry import Entry

ENTRIES: tuple[Entry, ...] = ()
