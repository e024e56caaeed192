"""Every law of ``models/contract.py`` on every encoder of the catalogue, whoever added it."""

import subprocess
import sys
from pathlib import Path

import pytest

from setbench.models.catalogue import rows
from setbench.models.contract import LAWS

ENCODERS = rows("encoder")


@pytest.mark.parametrize("law", LAWS.values(), ids=LAWS)
@pytest.mark.parametrize("row", ENCODERS, ids=[row.name for row in ENCODERS])
def test_law(row, law):
    law(row)


def test_shapes_are_as_annotated():
    """All of ``models`` imported with its jaxtyping annotations checked at run time, every encoder called both ways."""
    program = """
from jaxtyping import install_import_hook
with install_import_hook("models", "beartype.beartype"):
    from setbench.models.catalogue import rows
    from setbench.models.contract import build, gradient, sets
    for row in rows("encoder"):
        try:
            for batch in (sets(6, 4, 1, 0), sets(3, slots=3)):
                gradient(build(row), *batch)
        except Exception as error:
            print(f"{row.name}: {error}".split("Called with")[0])
"""
    root = Path(__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", program], cwd=root, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout == "", done.stdout
