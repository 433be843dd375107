"""Types without their constraints: what a body is read as before listeners have had their turn."""

from __future__ import annotations

import types
import typing
from collections.abc import Mapping
from typing import Any


def loosened(hint: Any) -> Any:
    """Return an annotation without constraints; those inside of classes that it names stay."""
    origin = typing.get_origin(hint)
    arguments = typing.get_args(hint)
    if origin is typing.Annotated:
        return loosened(arguments[0])
    if origin is None or origin is typing.Literal:
        return hint
    loose = tuple(argument if argument is ... else loosened(argument) for argument in arguments)
    if loose == arguments:
        return hint
    if origin in (typing.Union, types.UnionType):
        return typing.Union[loose]  # noqa: UP007 - made of a tuple
    return origin[loose]


def is_constrained(fields: Mapping[str, Any]) -> bool:
    """Whether any field has constraints that can be asked later."""
    return any(loosened(hint) is not hint for hint in fields.values())
