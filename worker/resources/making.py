"""Making processors and providers: what their constructors ask for, and where they get it."""

from __future__ import annotations

import inspect
import typing
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from worker.errors import ConfigurationError
from worker.messaging.declaring.functions import name_of
from worker.raising import is_failure
from worker.resources.built_in import BUILT_IN
from worker.texts import told


def constructor_faults(cls: type[Any]) -> Iterable[str]:
    """Say which parameters of a class's constructor nothing gives."""
    hints, fault = _hints(cls)
    if fault is not None:
        yield fault
    for parameter in _parameters(cls):
        if hints.get(parameter.name) not in BUILT_IN and parameter.default is parameter.empty:
            names = ", ".join(kind.__name__ for kind in BUILT_IN)
            yield (
                f"parameter {parameter.name!r} of its constructor has no default, and is none that is given; "
                f"expected one of {names} as its annotation, or a default"
            )


def built_in_of(cls: type[Any]) -> Mapping[str, type[Any]]:
    """Return the built-in that each parameter of a class's constructor asks for."""
    hints, _ = _hints(cls)
    return {p.name: hints[p.name] for p in _parameters(cls) if hints.get(p.name) in BUILT_IN}


def make(cls: type[Any], built_in: Mapping[type[Any], Any]) -> Any:
    """Make an object, its parameters being the built-in ones of the resource at hand.

    Raises:
        ConfigurationError: its constructor raises; says where the class is, and what was raised.
    """
    given = {name: built_in[kind] for name, kind in built_in_of(cls).items()}
    try:
        return cls(**given)
    except BaseException as error:
        if not is_failure(error):
            raise
        raise ConfigurationError(
            f"{name_of(cls)}{_place(cls)}: its constructor failed: {told(error)}"
        ) from error


def _place(cls: type[Any]) -> str:
    try:
        file, line = inspect.getsourcefile(cls), inspect.getsourcelines(cls)[1]
    except (OSError, TypeError):
        return ""
    return "" if file is None else f" ({Path(file).name}, line {line})"


def _parameters(cls: type[Any]) -> list[inspect.Parameter]:
    try:
        parameters = inspect.signature(cls).parameters.values()
    except (TypeError, ValueError):
        return []
    return [p for p in parameters if p.kind not in {p.VAR_POSITIONAL, p.VAR_KEYWORD}]


def _hints(cls: type[Any]) -> tuple[dict[str, Any], str | None]:
    names = {kind.__name__: kind for kind in BUILT_IN}
    try:
        return typing.get_type_hints(cls.__init__, localns=names), None
    except (NameError, TypeError, AttributeError) as error:
        return {}, f"the annotations of its constructor cannot be read: {error}"
