"""Types without their constraints: what a body is read as before listeners have had their turn."""

from __future__ import annotations

import types
import typing
from collections.abc import Mapping
from typing import Any

from msgspec import Meta


def loosened(hint: Any) -> Any:
    """Return an annotation without constraints; those inside of classes that it names stay.

    Whether a time has a zone is no constraint: one that has is of another type than one that has none.
    """
    origin = typing.get_origin(hint)
    arguments = typing.get_args(hint)
    if origin is typing.Annotated:
        loose = loosened(arguments[0])
        zones = [note.tz for note in arguments[1:] if isinstance(note, Meta) and note.tz is not None]
        return typing.Annotated[loose, Meta(tz=zones[-1])] if zones else loose
    if origin is None or origin is typing.Literal:
        return hint
    inner = tuple(argument if argument is ... else loosened(argument) for argument in arguments)
    if inner == arguments:
        return hint
    if origin in (typing.Union, types.UnionType):
        return typing.Union[inner]  # noqa: UP007 - made of a tuple
    return origin[inner]


def is_constrained(fields: Mapping[str, Any]) -> bool:
    """Whether any field has constraints that can be asked later."""
    return any(loosened(hint) is not hint for hint in fields.values())
