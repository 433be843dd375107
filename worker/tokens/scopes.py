"""Scopes: which values of a message's field a token reaches."""

from __future__ import annotations

import types
import typing
from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet
from typing import Any

from worker.errors import Forbidden

EVERYTHING = "*"
_MANY = (list, tuple, set, frozenset)
_LISTS: dict[object, type[Any]] = {
    list: list,
    tuple: tuple,
    set: set,
    frozenset: frozenset,
    Sequence: tuple,
    AbstractSet: frozenset,
}


def narrowed(
    scope: str,
    value: Any,
    allowed: Sequence[str],
    container: type[Any] | None,
    refused: Callable[[str], Forbidden],
) -> Any:
    """Return the value that a message may have where a token reaches only some.

    What lies wholly inside stays as it is. ``*``, an empty or a missing value becomes all that the token reaches:
    joined by commas, or in a list where the field holds one.

    Args:
        scope: its name, for the error.
        value: as sent.
        allowed: values that the token reaches.
        container: of the field's values, where it is a list of them; see ``container_of``.
        refused: makes the error, given what is wrong.

    Raises:
        Forbidden: some of it lies outside, or the token reaches nothing.
    """
    if not allowed:
        raise refused(f"it reaches no {scope} at all")
    if is_everything(value):
        whole = container if value is None or isinstance(value, str) else type(value)
        return ",".join(allowed) if whole is None else whole(allowed)
    values: Sequence[Any]
    if isinstance(value, str):
        values = value.split(",")
    else:
        values = tuple(value) if isinstance(value, _MANY) else (value,)
    for one in values:
        if not isinstance(one, str) or one not in allowed:
            raise refused(f"{scope} {str(one)[:100]!r} is outside of what it reaches")
    return value


def is_everything(value: Any) -> bool:
    """Whether a field's value means all that there is: it is missing, empty, or ``*``."""
    if isinstance(value, _MANY):
        return not value or tuple(value) == (EVERYTHING,)
    return value is None or (isinstance(value, str) and value in {"", EVERYTHING})


def container_of(cls: type[Any], field: str) -> type[Any] | None:
    """Return what a field's values are put into where it holds a list of them; None where it holds a text.

    Raises:
        TypeError: it holds neither, or there is no such field.
    """
    try:
        hints = typing.get_type_hints(cls)
    except (NameError, TypeError):  # names that are known only where the class was made
        hints = dict.fromkeys(getattr(cls, "__annotations__", {}), str)
    if field not in hints:
        raise TypeError(f"{field!r} is no field of it; fields: {', '.join(hints) or 'none'}")
    kinds = [kind for kind in alternatives(hints[field]) if kind is not type(None)]
    if str in kinds:
        return None
    for kind in kinds:
        origin = typing.get_origin(kind) or kind
        if origin in _LISTS and typing.get_args(kind)[:1] in {(str,), ()}:
            return _LISTS[origin]
    raise TypeError(f"field {field!r} is neither a text nor a list of texts")


def alternatives(hint: Any) -> tuple[Any, ...]:
    """Return the types that a field's type is one of."""
    origin = typing.get_origin(hint)
    if origin is typing.Union or origin is types.UnionType:
        return typing.get_args(hint)
    return (hint,)
