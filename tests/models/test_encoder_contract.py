"""Every law of ``models/contract`` on every encoder of the catalogue, whoever added it."""

import subprocess
import sys
from pathlib import Path

import pytest

from setbench.models.catalogue import model_specs
from setbench.models.contract import ENCODER_LAWS

ENCODERS = model_specs("encoder")


@pytest.mark.parametrize("law", ENCODER_LAWS.values(), ids=ENCODER_LAWS)
@pytest.mark.parametrize("row", ENCODERS, ids=[row.name for row in ENCODERS])
def test_law(row, law):
    law(row)


def test_shapes_are_as_annotated():
    """All of ``models`` imported with its jaxtyping annotations checked at run time, every encoder called both ways."""
    program = """
from jaxtyping import install_import_hook
with install_import_hook("setbench.models", "beartype.beartype"):
    from setbench.models.catalogue import model_specs
    from setbench.models.contract.encoders import build, gradient, sets
    for row in model_specs("encoder"):
        try:
            for batch in (sets(6, 4, 1, 0), sets(3, slots=3)):
                gradient(build(row), *batch)
        except Exception as error:
            print(f"{row.name}: {error}".split("Called with")[0])
    from setbench.models.ops.layers import masked_mean
    try:
        masked_mean(sets(6)[0], sets(6)[1][:, :2])
    except Exception as error:
        assert type(error).__module__.startswith("jaxtyping"), error
    else:
        print("a wrong shape is not seen: nothing is checked")
"""
    root = Path(__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", program], cwd=root, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout == "", done.stdout
