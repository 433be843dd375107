"""Identifiers: what a path says about the fields of an object."""

from __future__ import annotations

import typing
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import msgspec

from worker.errors import NotFound
from worker.resources.resource import Resource

_MOST = 2**63
_LONGEST = 8_000
"""Characters of an identifier as it stands in an address: what every server and client has to take (RFC 9110, 4.1)."""


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


def identifier_fault(value: Any) -> str | None:
    """Say why no address can lead to an object with this identifier; None where one can."""
    if not isinstance(value, str):
        return None
    if not value:
        return "expected an identifier that is not empty"
    if "\0" in value:
        return "expected an identifier without NUL"
    if value in {".", ".."}:
        return f"expected an identifier other than {value!r}, which addresses have another meaning for"
    if len(value) * 3 > _LONGEST and len(quote(value, safe="", errors="replace")) > _LONGEST:
        return f"expected an identifier of at most {_LONGEST:,} characters, percent-encoded"
    return None


def stated(resource: Resource, variables: Mapping[str, Any]) -> dict[str, Any]:
    """Return the same where an object is to be made of them.

    Raises:
        NotFound: a text can be no value of its field, so that nothing is there.
    """
    found = identifiers_of(resource, variables)
    if found is None:
        raise NotFound(f"there is no {resource.name} here")
    return found


def _plain(hint: Any) -> Any:
    """A field's type without its constraints: what breaks them is not stored, so it is not found."""
    return typing.get_args(hint)[0] if typing.get_origin(hint) is typing.Annotated else hint
