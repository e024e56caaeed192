"""The laws that encoders and decoders obey, for the tests and for authors of new ones.

    python -m setbench.models.contract                            every model of the catalogue
    python -m setbench.models.contract janossy:k=3 dspn           these
    python -m setbench.models.contract --plugin my_file.py mine   one from a file that registers it

or from Python, for a model that stands in no catalogue yet:

    from setbench.models.contract import broken_laws
    broken_laws(ModelSpec(Entry(name="mine", target="my_file:Mine", …), options={}))  # {} when all hold
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from setbench.files import error_line
from setbench.models.catalogue import ModelSpec
from setbench.models.contract import decoders, encoders, robustness
from setbench.models.contract.entries import cannot_be_built

KINDS = ("encoder", "decoder")
"""What has laws."""

ENCODER_LAWS: Mapping[str, Callable[[ModelSpec], None]] = {**encoders.LAWS, **robustness.LAWS}

ENTRY = "is_what_its_entry_says"
"""What stands for a law where none can be tried."""


def laws_of(model: ModelSpec) -> Mapping[str, Callable[[ModelSpec], None]]:
    """The laws of an encoder or of a decoder."""
    return ENCODER_LAWS if model.entry.kind == "encoder" else decoders.LAWS


def broken_laws(model: ModelSpec) -> dict[str, str]:
    """The laws that this model breaks, each with what was seen in one line; empty where all hold.

    Where the class cannot be built, or does not take the options of its entry, that is the only line.
    """
    hindrance = cannot_be_built(model, encoders.build if model.entry.kind == "encoder" else decoders.untouched)
    if hindrance is not None:
        return {ENTRY: hindrance}
    broken = {}
    for name, law in laws_of(model).items():
        try:
            law(model)
        except AssertionError as error:
            broken[name] = str(error).partition("\n")[0]
        except Exception as error:  # a model under test may raise anything
            broken[name] = error_line(error)
    return broken
