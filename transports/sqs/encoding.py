"""Messages as SQS carries them: the body as a text that XML can hold, and one attribute with all else."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from typing import Any, NamedTuple

import msgspec

from worker.messaging.transport import Outgoing

ATTRIBUTE = "worker"
"""The one attribute of a message that this transport sends: SQS takes ten, and bills each by its bytes."""

DEFAULT_CONTENT_TYPE: str = Outgoing.__struct_defaults__[-1]

_ILLEGAL = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_OVERHEAD = len(ATTRIBUTE) + len("String")


class Facts(msgspec.Struct, omit_defaults=True, forbid_unknown_fields=False):
    """What a message has beside its body. ``delay``, on FIFO queues alone, is in seconds from its sending."""

    id: str = ""
    key: str | None = None
    content_type: str = DEFAULT_CONTENT_TYPE
    encoding: str = ""
    delay: float = 0.0


class Encoded(NamedTuple):
    """A body and its attribute as SQS takes them, and their size in bytes, as SQS counts it."""

    body: str
    facts: str
    size: int


def encode(message: Outgoing, delay: float) -> Encoded:
    """Write a message; ``delay`` is for how many seconds its consumers must hold it back."""
    text, encoding = _text(message.body)
    facts = Facts(message.id, message.key, message.content_type, encoding, delay)
    # ASCII alone: what XML cannot hold is escaped
    written = msgspec.json.encode(facts).decode()
    if not written.isascii():
        written = "".join(letter if letter.isascii() else _escaped(letter) for letter in written)
    return Encoded(text, written, len(text.encode()) + len(written) + _OVERHEAD)


def decode(message: Mapping[str, Any]) -> tuple[bytes, Facts]:
    """Read a message; one that another program sent gets the service's own id, and all of its text as body.

    Never raises: an operator must be able to look at every message, whatever its sender wrote.
    """
    body: str = message.get("Body", "")
    try:
        facts = msgspec.json.decode(message["MessageAttributes"][ATTRIBUTE]["StringValue"], type=Facts)
    except (KeyError, msgspec.DecodeError, TypeError):
        facts = Facts()
    facts.id = facts.id or str(message["MessageId"])
    if facts.encoding == "base64":
        try:
            return base64.b64decode(body, validate=True), facts
        except ValueError:
            pass
    elif facts.encoding == "empty":
        return b"", facts
    return body.encode(), facts


def headers(message: Mapping[str, Any], facts: Facts) -> dict[str, str]:
    """A message's attributes as text, its content type among them."""
    found = {
        name: str(value["StringValue"])
        for name, value in (message.get("MessageAttributes") or {}).items()
        if name != ATTRIBUTE and "StringValue" in value
    }
    return {"content-type": facts.content_type, **found}


def _text(body: bytes) -> tuple[str, str]:
    if not body:
        return "-", "empty"  # SQS takes no empty body
    try:
        text = body.decode()
    except UnicodeDecodeError:
        return base64.b64encode(body).decode(), "base64"
    # a carriage return is legal, and becomes a line feed on its way through some XML readers
    if "\r" in text or _ILLEGAL.search(text):
        return base64.b64encode(body).decode(), "base64"
    return text, ""


def _escaped(letter: str) -> str:
    units = letter.encode("utf-16-be")
    return "".join(f"\\u{units[place]:02x}{units[place + 1]:02x}" for place in range(0, len(units), 2))
