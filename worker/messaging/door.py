"""The door: a message that a token may send, as it may send it. Asked where messages come in, not of what handlers send."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import msgspec

from worker.errors import Forbidden, InvalidMessage
from worker.messaging.declaration import MessageType
from worker.messaging.validation import ContentType, fitting
from worker.tokens.principal import Principal
from worker.tokens.scopes import EVERYTHING, container_of


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


def unsaid(principal: Principal, declared: MessageType, said: Collection[str]) -> dict[str, Any]:
    """Return all that there is for the fields of the token's scopes that are not among those said.

    A field that its type requires may be missing all the same where a token reaches only some of its values: these are
    meant then.
    """
    if principal.token is None:
        return {}
    fields = {field: scope for scope, field in declared.scopes.items() if scope in principal.scopes}
    if not fields:
        return {}
    cls: Any = declared.cls
    names = (
        {one.name: one.encode_name for one in msgspec.structs.fields(cls)}
        if issubclass(cls, msgspec.Struct)
        else {}
    )
    return {
        name: EVERYTHING if container_of(cls, field) is None else [EVERYTHING]
        for field in fields
        if (name := names.get(field, field)) not in said
    }


def completed(
    principal: Principal, declared: MessageType, body: bytes, content_type: ContentType = "json"
) -> bytes | None:
    """Return a body that could not be read with what is unsaid in it; None where that is nothing, or it is no object."""
    if not declared.scopes or principal.token is None:
        return None
    form: Any = msgspec.json if content_type == "json" else msgspec.msgpack
    try:
        data = form.decode(body)
    except (ValueError, RecursionError):
        return None
    if not isinstance(data, dict) or not (missing := unsaid(principal, declared, data.keys())):
        return None
    written: bytes = form.encode({**data, **missing})
    return written
