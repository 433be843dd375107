"""Identifiers: what a path says about the fields of an object."""

from __future__ import annotations

import typing
from collections.abc import Mapping
from typing import Any

import msgspec

from worker.resources.resource import Resource

_MOST = 2**63


def identifiers_of(resource: Resource, variables: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the values of the fields that a path's variables name, each as its field has it.

    Variables that are no fields are left out. None where a text can be no value of its field.
    """
    fields = resource.shape.fields
    found: dict[str, Any] = {}
    for name, text in variables.items():
        if name not in fields:
            continue
        try:
            value = msgspec.convert(text, _plain(fields[name]), strict=False)
        except (msgspec.ValidationError, RecursionError):
            return None
        if (isinstance(value, str) and "\0" in value) or (
            isinstance(value, int) and not -_MOST <= value < _MOST
        ):
            return None  # no database has it
        if type(value) is int and isinstance(text, str) and text != str(value):
            return None  # 1.0 and 1e0 are other paths, and one object has one
        found[name] = value
    return found


def _plain(hint: Any) -> Any:
    """A field's type without its constraints: what breaks them is not stored, so it is not found."""
    return typing.get_args(hint)[0] if typing.get_origin(hint) is typing.Annotated else hint
