"""Imported by the tests' forkserver: the fake models are in the catalogue of every cell's process."""

from fake_models import FAKES

from setbench.models.catalogue import CATALOGUE

CATALOGUE.update({entry.name: entry for entry in FAKES})
