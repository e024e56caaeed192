"""The options that a class can be built with, read from its ``__init__``."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any


def options_of(cls: type) -> dict[str, Any]:
    """Name -> default of the arguments that have one, those of a base class too where ``**options`` hands them on."""
    found: dict[str, Any] = {}
    for base in cls.__mro__:
        if "__init__" not in vars(base):
            continue
        parameters = inspect.signature(vars(base)["__init__"]).parameters.values()
        for parameter in parameters:
            if parameter.default is not inspect.Parameter.empty:
                found.setdefault(parameter.name, parameter.default)
        if not any(parameter.kind is inspect.Parameter.VAR_KEYWORD for parameter in parameters):
            break
    return found


def given(cls: type, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """Name -> value of everything that an object was built with, defaults included."""
    bound = inspect.signature(cls).bind(*args, **kwargs)
    bound.apply_defaults()
    values = dict(bound.arguments)
    for parameter in inspect.signature(cls).parameters.values():
        if parameter.kind is inspect.Parameter.VAR_KEYWORD:
            values |= values.pop(parameter.name)
    return {**values, **{name: value for name, value in options_of(cls).items() if name not in values}}
