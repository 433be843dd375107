"""Messages as Kafka's records: what is written into a record, and how one is read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from transports.kafka.window import Entry, Window
from worker.messaging.transport import Delivery, Outgoing

ID = "message-id"
CONTENT_TYPE = "content-type"
DUE = "due"
"""Seconds since the epoch: when a message may be handed out."""

Headers = list[tuple[str, bytes]]


class Record(Protocol):
    """The parts of a consumer's record that are read."""

    offset: int
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes | None]]


def headers(message: Outgoing, due: float = 0.0) -> Headers:
    """Write the headers of a message."""
    written: Headers = [(ID, message.id.encode()), (CONTENT_TYPE, message.content_type.encode())]
    if due:
        written.append((DUE, repr(due).encode()))
    return written


class Reader:
    """Reads one queue's records into entries."""

    def __init__(self, queue: str) -> None:
        self._queue = queue
        self._plain: dict[bytes, Mapping[str, str]] = {}

    def read(self, window: Window, records: Sequence[Record]) -> tuple[list[Entry], bool]:
        """Make the entries of records, with their deliveries; return also whether none has a key or a time to wait for."""
        queue, plain = self._queue, self._plain
        again = window.doubted(len(records))
        free = True
        entries = []
        for record in records:
            found = record.headers
            key = record.key
            body = record.value or b""
            entry = Entry(window, record.offset, key, 0.0, len(body))
            if key is not None:
                free = False
            message_id = ""
            texts: Mapping[str, str] | None = None
            if len(found) == 2:
                (first, named), (second, kind) = found
                if first == ID and second == CONTENT_TYPE:
                    message_id = (named or b"").decode("utf-8", "replace")
                    content_type = kind or b""
                    texts = plain.get(content_type) or self._keep(content_type)
            if texts is None:
                free = False
                texts = read = {name: (value or b"").decode("utf-8", "replace") for name, value in found}
                message_id = read.pop(ID, "") or read.get("ce_id") or _own_id(window, record.offset)
                entry.due = _seconds(read.pop(DUE, ""))
            entry.delivery = Delivery(
                queue=queue,
                id=message_id,
                body=body,
                receipt=entry,
                headers=texts,
                key=None if key is None else key.decode("utf-8", "replace"),
                redelivered=again,
            )
            entries.append(entry)
        return entries, free

    def _keep(self, content_type: bytes) -> Mapping[str, str]:
        texts = {CONTENT_TYPE: content_type.decode("utf-8", "replace")}
        if len(self._plain) < 100:  # more than an application has, whatever senders invent
            self._plain[content_type] = texts
        return texts


def _own_id(window: Window, offset: int) -> str:
    """Make an id for a message that came without one, from its topic, partition and offset."""
    return f"{window.topic}-{window.partition}-{offset}"


def _seconds(text: str) -> float:
    try:
        return float(text) if text else 0.0
    except ValueError:
        return 0.0
