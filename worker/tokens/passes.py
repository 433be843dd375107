"""Passes: what one token may send of one type, asked at the door of each message."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Callable, Collection, Mapping
from typing import Any, Protocol

import msgspec

from worker.errors import Forbidden
from worker.tokens.document import TokenDocument
from worker.tokens.patterns import matches
from worker.tokens.scopes import container_of, narrowed


class Declared(Protocol):
    """What is asked of a declared type."""

    @property
    def name(self) -> str:
        """Its wire name."""
        ...

    @property
    def aliases(self) -> tuple[str, ...]:
        """Its other wire names."""
        ...

    @property
    def cls(self) -> type[Any]:
        """Class of its messages."""
        ...

    @property
    def read_as(self) -> type[Any]:
        """Class that their data is read as."""
        ...

    @property
    def scopes(self) -> Mapping[str, str]:
        """Field that each scope means."""
        ...

    @property
    def hits(self) -> str | None:
        """Field that says how many results are asked for."""
        ...

    @property
    def right(self) -> str | None:
        """What else its sender needs; None for no more than to send or ask."""
        ...


Pass = Callable[[Any], Any] | None
"""Returns the message as the token may send it, its scopes narrowed; raises Forbidden where it may not. None: any, as it is."""


def pass_for(id: str, token: TokenDocument | None, granted: Collection[str], declared: Declared) -> Pass:
    """Make the pass of a token for a type; what needs no look at a message is found out here."""
    if token is None:
        return None
    if declared.right is not None and declared.right not in granted:
        return _never(f"{declared.name} needs the right {declared.right!r}, which token {id!r} has not")
    if token.messages and not matches(token.messages, (declared.name, *declared.aliases)):
        return _never(f"token {id!r} may not send or ask {declared.name}: it is none of its messages")
    fields = {scope: field for scope, field in declared.scopes.items() if scope in token.scopes}
    hits = declared.hits if token.max_hits is not None else None
    if not fields and hits is None:
        return None
    return _Narrowing(id, token, declared, fields, hits).admit


class _Narrowing:
    """Looks at the fields that a token's scopes and its most hits are about."""

    def __init__(
        self, id: str, token: TokenDocument, declared: Declared, fields: Mapping[str, str], hits: str | None
    ) -> None:
        self._who = f"token {id!r}"
        self._most = token.max_hits
        self._hits = hits
        self._type = declared.name
        self._asked = [
            (scope, field, token.scopes[scope], container_of(declared.read_as, field))
            for scope, field in fields.items()
        ]

    def admit(self, message: Any) -> Any:
        """Return the message, with the fields narrowed that reached further."""
        changed: dict[str, Any] = {}
        if self._hits is not None and self._most is not None:
            asked = getattr(message, self._hits)
            if asked is None:  # as many as there are
                changed[self._hits] = self._most
            elif asked > self._most:
                raise self._refused(f"{self._hits} is more than {self._most}")
        for scope, field, allowed, container in self._asked:
            value = getattr(message, field)
            found = narrowed(scope, value, allowed, container, self._refused)
            if found is not value:
                changed[field] = found
        return _replaced(message, changed) if changed else message

    def _refused(self, what: str) -> Forbidden:
        return Forbidden(f"{self._who} may not send or ask this {self._type}: {what}")


def _never(why: str) -> Pass:
    def never(_message: Any) -> Any:
        raise Forbidden(why)

    return never


def _replaced(message: Any, changed: Mapping[str, Any]) -> Any:
    """Return the same message with other values in some fields."""
    if isinstance(message, msgspec.Struct):
        return msgspec.structs.replace(message, **changed)
    if dataclasses.is_dataclass(message) and not isinstance(message, type):
        return dataclasses.replace(message, **changed)
    if hasattr(message, "__mapper__"):  # it keeps account of what is set
        for field, value in changed.items():
            setattr(message, field, value)
        return message
    made = copy.copy(message)
    for field, value in changed.items():
        object.__setattr__(made, field, value)
    return made
