"""What a message type was declared with, as a document: a member for every option that there is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from worker.messaging.declaration import MessageType
from worker.messaging.declaring.functions import name_of

_SAID_OTHERWISE = {"name", "cls", "queue", "transport"}
"""Fields that the document has under other names, or as they came out."""


def options_of(message: MessageType) -> dict[str, Any]:
    """Give the options of a declaration by name; functions and classes are told by theirs."""
    return {
        field: _plain(getattr(message, field))
        for field in MessageType.__struct_fields__
        if field not in _SAID_OTHERWISE
    }


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {_key(key): _plain(item) for key, item in value.items()}
    if callable(value):
        return name_of(value)
    return msgspec.to_builtins(value)


def _key(key: Any) -> str:
    return key.__name__ if isinstance(key, type) else str(key)
