"""The door: a message that a caller may send, as the caller may send it."""

from __future__ import annotations

from typing import Any

from worker.errors import Forbidden, InvalidMessage
from worker.messaging.declaration import MessageType
from worker.messaging.validation import fitting
from worker.tokens.principal import Principal


def admitted(principal: Principal, declared: MessageType, message: Any) -> Any:
    """Return the message, narrowed to what the caller's token reaches.

    Raises:
        Forbidden: the token may not send or ask it.
    """
    if principal.token is None:
        return message
    found = principal.pass_for(declared)(message)
    if found is not message:
        try:
            fitting(declared, found)
        except InvalidMessage as error:
            raise Forbidden(
                f"token {principal.id!r}: narrowed to what it reaches, the message does not fit its type: {error}"
            ) from error
    return found
