"""The door: a message that a token may send, as it may send it. Asked where messages come in, not of what handlers send."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import msgspec

from worker.errors import Forbidden, InvalidMessage
from worker.messaging.declaration import MessageType
from worker.messaging.validation import ContentType, decode, fitting
from worker.tokens.principal import Principal
from worker.tokens.scopes import container_of, is_everything, narrowed


def admitted(principal: Principal, declared: MessageType, message: Any) -> Any:
    """Return the message, narrowed to what the caller's token reaches.

    Raises:
        Forbidden: the token may not send or ask it.
    """
    if principal.token is None:
        return message
    found = principal.admitted(declared, message)
    if found is not message:
        try:
            fitting(declared, found)
        except InvalidMessage as error:
            raise Forbidden(
                f"token {principal.id!r}: narrowed to what it reaches, the message does not fit its type: {error}"
            ) from error
    return found


def read_for(
    principal: Principal, declared: MessageType, body: bytes, content_type: ContentType = "json"
) -> Any:
    """Read a body; where it does not fit, once more with what its sender's token reaches; see ``completed``.

    Raises:
        Malformed: it is not JSON or MessagePack.
        InvalidMessage: it is, and does not fit.
        Forbidden: the token reaches nothing of what it is about.
    """
    try:
        return decode(declared, body, content_type=content_type)
    except InvalidMessage:
        whole = completed(principal, declared, body, content_type)
        if whole is None:
            raise
        return decode(declared, whole, content_type=content_type)


def completed(
    principal: Principal, declared: MessageType, body: bytes, content_type: ContentType = "json"
) -> bytes | None:
    """Return a body that could not be read with what is meant by it; None where that is nothing, or it is no object."""
    if not declared.scopes or principal.token is None:
        return None
    form: Any = msgspec.json if content_type == "json" else msgspec.msgpack
    try:
        data = form.decode(body)
    except (ValueError, RecursionError):
        return None
    if not isinstance(data, dict) or not (found := meant(principal, declared, data)):
        return None
    written: bytes = form.encode({**data, **found})
    return written


def meant(principal: Principal, declared: MessageType, said: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the token reaches, for the fields of its scopes of which nothing is said, or everything.

    A field that its type requires may be missing all the same, and ``*`` may stand where the type has no such value.

    Raises:
        Forbidden: the token reaches nothing of a scope.
    """
    if principal.token is None:
        return {}
    found = {}
    for scope, field in declared.scopes.items():
        name = _written(declared.read_as, field)
        if scope in principal.scopes and is_everything(said.get(name)):
            allowed, container = principal.scopes[scope], container_of(declared.read_as, field)
            whole = narrowed(scope, None, allowed, container and list, partial(_refused, principal, declared))
            found[name] = whole
    return found


def _written(cls: Any, field: str) -> str:
    """The name of a field as it stands in data."""
    if issubclass(cls, msgspec.Struct):
        return next((one.encode_name for one in msgspec.structs.fields(cls) if one.name == field), field)
    return field


def _refused(principal: Principal, declared: MessageType, what: str) -> Forbidden:
    return Forbidden(f"token {principal.id!r} may not send or ask this {declared.name}: {what}")
