"""What must hold before any law is tried: the class is where the entry says, and takes the entry's options."""

from __future__ import annotations

from collections.abc import Callable

from setbench.files import error_line
from setbench.models.catalogue import ModelSpec
from setbench.models.entry import Entry
from setbench.models.interfaces import Predictor, SetDecoder, SetEncoder
from setbench.models.signature import options_of
from setbench.options import nearest

BASES: dict[str, type] = {"encoder": SetEncoder, "decoder": SetDecoder, "predictor": Predictor}


def fault(entry: Entry) -> str | None:
    """In one line, what is wrong between an entry and its class; None where they agree.

    The options are the arguments of ``__init__`` that have defaults, with the same defaults, but for the entry's
    ``overrides``, whose defaults must differ.
    """
    try:
        cls = entry.load()
    except Exception as error:  # whatever importing a stranger's module raises
        return f"the target {entry.target!r} cannot be loaded: {error_line(error)}"
    base = BASES.get(entry.kind)
    if not isinstance(cls, type) or (base is not None and not issubclass(cls, base)):
        return f"{entry.target} is no {base.__name__ if base else 'class'}, as kind={entry.kind!r} says"
    takes = options_of(cls)
    for name, option in entry.options.items():
        if name not in takes:
            return f"{entry.class_name} takes no option {name!r}; {nearest(name, takes)}"
        same = takes[name] == option.default and type(takes[name]) is type(option.default)
        if not same and name not in entry.overrides:
            return (
                f"the default of {name!r} is {option.default!r} in the entry and {takes[name]!r} in {entry.class_name}"
            )
        if same and name in entry.overrides:
            return f"overrides has {name!r}, whose default is {option.default!r} in {entry.class_name} too"
    for name in takes:
        if name not in entry.options:
            return f"{entry.class_name} takes an option {name!r}, which the entry does not have"
    return None


def cannot_be_built(model: ModelSpec, build: Callable[[ModelSpec], object]) -> str | None:
    """In one line, why no law can be tried; ``build`` makes a small one of it."""
    found = fault(model.entry)
    if found is not None:
        return found
    try:
        build(model)
    except Exception as error:  # whatever a stranger's constructor raises
        return f"{model.entry.class_name} cannot be built: {error_line(error)}"
    return None
