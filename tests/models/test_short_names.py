"""Classes are imported by their names, and no sooner than they are asked for."""

import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

import setbench.models
from setbench.models.catalogue import CATALOGUE

PACKAGES = ("permuting", "sorting", "sampling", "attention", "graphs", "controls", "decoders")


def test_the_names_of_the_readme() -> None:
    from setbench.models import DSPN, AsAggregation, FSPool, SetSpec, SetTransformer, decoders, sorting

    assert FSPool.__module__ == "setbench.models.sorting.fspool"
    assert FSPool is sorting.FSPool
    assert DSPN is decoders.DSPN
    assert SetTransformer.__module__ == "setbench.models.attention.set_transformer"
    assert AsAggregation.__module__ == "setbench.models.pyg"
    assert SetSpec.__module__ == "setbench.specs"


@pytest.mark.parametrize("entry", CATALOGUE.values(), ids=CATALOGUE)
def test_every_class_has_its_name_in_both_places(entry) -> None:
    name = entry.target.rpartition(":")[2]
    found = getattr(setbench.models, name)
    assert found.__name__ == name
    assert found is getattr(import_module(entry.package), name)
    assert name in dir(setbench.models)
    assert name in dir(import_module(entry.package))


def test_submodules_and_unknown_names_are_what_they_were() -> None:
    from setbench.models.sorting import fspool

    assert fspool.__name__ == "setbench.models.sorting.fspool"
    with pytest.raises(AttributeError, match=r"'setbench\.models\.sorting' has no attribute 'SetTransformer'"):
        _ = setbench.models.sorting.SetTransformer
    with pytest.raises(ImportError, match="FSPol"):
        from setbench.models import FSPol  # noqa: F401


def test_torch_comes_with_the_first_name() -> None:
    imports = "".join(f"import setbench.models.{name}\n" for name in PACKAGES)
    program = f"""
import sys
import setbench.models
{imports}
before = "torch" in sys.modules, dir(setbench.models), "torch" in sys.modules
from setbench.models import FSPool
print(before[0], before[2], len(before[1]) > 30, "torch" in sys.modules)
"""
    root = Path(__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", program], cwd=root, capture_output=True, text=True, check=True)
    assert done.stdout == "False False True True\n"
