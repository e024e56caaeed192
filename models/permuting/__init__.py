"""Averages over permutations. The classes of the catalogue, by their names."""

from setbench.models.lazy import exports

__getattr__, __dir__ = exports(__name__)
