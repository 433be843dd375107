"""Envelopes as CloudEvents 1.0 in structured JSON, and back; decoding never raises.

Source of the format: CloudEvents 1.0.2, JSON event format 1.0.2. Readers also take binary mode, and a bare
JSON body on a queue that has exactly one type.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import Any

import msgspec

from worker.errors import UnknownType
from worker.messaging.cloudevents import (
    ABSENT,
    BINARY_IDS,
    CONTENT_TYPE,
    JSON,
    EventIn,
    EventOut,
    UndecodableMessage,
    binary_attributes,
    data_of,
    loosely,
    undecodable,
)
from worker.messaging.declaration import MessageType, Registry
from worker.messaging.envelope import Envelope, Undecodable
from worker.messaging.outline import bare_id
from worker.messaging.rewriting import (
    rewritten,
    structured,
    value_of,
    with_data,
    write_stamps,
)
from worker.messaging.stamps import Stamp, UnknownStamp, kind_name, name_of, travelling
from worker.messaging.validation import decoder
from worker.texts import message_of

__all__ = ["CONTENT_TYPE", "Serializer", "UndecodableMessage", "UnknownStamp"]

_NONE: Mapping[str, str] = {}


class Serializer:
    """Encodes and decodes the messages of one registry.

    Args:
        registry: the declared types.
        stamps: stamp classes to know besides those that exist now; others on the wire are kept unread.
    """

    def __init__(self, registry: Registry, stamps: Iterable[type[Stamp]] = ()) -> None:
        self._registry = registry
        self._kinds = {**travelling(_modules(registry)), **{kind_name(kind): kind for kind in stamps}}
        self._forms = {cls: one.form for cls, one in registry.by_class.items() if one.form is not None}
        self._encode = msgspec.json.Encoder().encode
        self._read = msgspec.json.Decoder(EventIn, strict=False).decode
        self._read_values = msgspec.json.Decoder(dict[str, Any]).decode
        self._types: dict[str, tuple[MessageType, Any]] = {
            name: (message, _decode_of(message)) for name, message in registry.by_name.items()
        }

    def encode(self, envelope: Envelope[Any]) -> bytes:
        """Write an envelope as one JSON document."""
        return self._encode(
            EventOut(
                specversion="1.0",
                id=envelope.id,
                type=envelope.type,
                source=envelope.source,
                data=self._data(envelope.message),
                datacontenttype="application/json",
                time=envelope.time,
                subject=envelope.key,
                correlationid=envelope.correlation_id,
                causationid=envelope.causation_id,
                traceparent=envelope.traceparent,
                attempt=envelope.attempt,
                dataversion=envelope.version,
                stamps=_written(envelope.stamps) if envelope.stamps else None,
            )
        )

    def onward(
        self,
        envelope: Envelope[Any],
        body: bytes,
        headers: Mapping[str, str] = _NONE,
        *,
        edited: bool = False,
    ) -> bytes:
        """Write an envelope that came as ``body`` and goes on: what came stays, but for attributes and stamps that differ.

        Members that are not known here, and the bytes of the data, come back as they were; also where a middleware has
        replaced the message, which it will do again. What came in binary mode or bare is in structured mode now.

        Args:
            envelope: as read, changed since.
            body: as received.
            headers: likewise.
            edited: write the envelope's message in the place of the data that came.
        """
        try:
            found = structured(body, headers)
            if found is None:
                return self.encode(
                    envelope if edited else msgspec.structs.replace(envelope, message=msgspec.Raw(body))
                )
            members = rewritten(envelope, *found, self._kinds)
            return self._encode(with_data(members, self._data(envelope.message)) if edited else members)
        except Exception:  # names of members that are no text: it can be read, and not be kept
            return self.encode(envelope)

    def decode(
        self,
        body: bytes,
        headers: Mapping[str, str] | None = None,
        types: tuple[str, ...] = (),
        native_id: str = "",
        received: tuple[Stamp, ...] = (),
    ) -> Envelope[Any] | Undecodable:
        """Read a delivered body; what cannot be read is an ``Undecodable``, nothing is raised.

        Args:
            body: as received.
            headers: broker-native headers, for binary mode.
            types: the types that wait on its queue; a bare body is read when there is exactly one.
            native_id: the broker's id, from which a bare message's id follows.
            received: stamps to add, made once a queue.
        """
        if headers and headers.get("content-type") != CONTENT_TYPE and not BINARY_IDS.isdisjoint(headers):
            attributes = binary_attributes(headers)
            if attributes is not None:
                return self._decode_binary(body, attributes, received)
        try:
            event = self._read(body)
        except Exception as error:
            return self._decode_other(body, types, native_id, received, error)
        return self._open(body, event, received)

    def _data(self, message: Any) -> Any:
        """What is written of a message."""
        form = self._forms.get(type(message)) if self._forms else None
        return message if form is None else form.data(message)

    def _open(self, body: bytes, event: EventIn, received: tuple[Stamp, ...]) -> Envelope[Any] | Undecodable:
        """Read data and stamps of an event; application code may run here and raise anything."""
        found = self._types.get(event.type)
        if found is None:
            return undecodable(body, UnknownType(event.type, sorted(self._registry.messages)), event)
        declared, decode = found
        data = event.data
        try:
            if event.datacontenttype != JSON or data is ABSENT or event.data_base64 is not None:
                data = data_of(event)
            message = decode(data)
        except BaseException as error:
            return undecodable(body, UndecodableMessage(f"data of {event.type}: {message_of(error)}"), event)
        if event.stamps:
            try:
                received = self._read_stamps(event.stamps) + received
            except BaseException as error:
                wrong = UndecodableMessage(f"stamps of {event.type}: {message_of(error)}")
                return undecodable(body, wrong, event)
        if not event.id.isprintable():
            wrong = UndecodableMessage(f"id {event.id!r}: control characters")
            return undecodable(body, wrong, event)
        return Envelope(
            message=message,
            type=declared.name,
            id=event.id,
            source=event.source or "",
            time=event.time or "",
            correlation_id=event.correlationid,
            causation_id=event.causationid,
            key=event.subject,
            attempt=event.attempt or 1,
            traceparent=event.traceparent,
            version=event.dataversion or 1,
            stamps=received,
        )

    def _decode_binary(
        self, body: bytes, attributes: Mapping[str, str], received: tuple[Stamp, ...]
    ) -> Envelope[Any] | Undecodable:
        try:
            event = msgspec.convert({"specversion": "1.0", **attributes}, EventIn, strict=False)
            event.data = msgspec.Raw(body)
        except Exception as error:
            return undecodable(
                body, UndecodableMessage(f"no CloudEvent in binary mode: {message_of(error)}"), attributes
            )
        return self._open(body, event, received)

    def _decode_other(
        self,
        body: bytes,
        types: tuple[str, ...],
        native_id: str,
        received: tuple[Stamp, ...],
        error: Exception,
    ) -> Envelope[Any] | Undecodable:
        loose = loosely(body)
        if loose is not None and len(types) == 1 and types[0] in self._types and not self._is_event(loose):
            return self._decode_bare(body, types[0], native_id, received)
        return undecodable(body, UndecodableMessage(f"no CloudEvent: {message_of(error)}"), loose)

    def _is_event(self, loose: Any) -> bool:
        """Tell whether a document is meant as a CloudEvent, though not a right one."""
        if not isinstance(loose, dict):
            return False
        name = loose.get("type")
        return "specversion" in loose or (
            "data" in loose and isinstance(name, str) and name in self._registry.by_name
        )

    def _decode_bare(
        self, body: bytes, name: str, native_id: str, received: tuple[Stamp, ...]
    ) -> Envelope[Any] | Undecodable:
        declared, decode = self._types[name]
        message_id = bare_id(body, native_id)
        try:
            message = decode(body)
            key = declared.key_of(message)
        except BaseException as error:
            wrong = UndecodableMessage(f"bare body read as {name}: {message_of(error)}")
            return Undecodable(body=body, error=wrong, type=declared.name, id=message_id)
        return Envelope(
            message=message,
            type=declared.name,
            id=message_id,
            correlation_id=message_id,
            key=key,
            version=declared.version,
            stamps=received,
        )

    def _read_stamps(self, text: str) -> tuple[Stamp, ...]:
        read = []
        for name, value in self._read_values(text).items():
            kind = self._kinds.get(name)
            read.append(msgspec.convert(value, kind) if kind else UnknownStamp(name, value))
        return tuple(read)


def _decode_of(message: MessageType) -> Callable[[Any], Any]:
    read, form = decoder(message.read_as, "json"), message.form
    return read if form is None else lambda data: form.message(read(data))


def _written(stamps: tuple[Stamp, ...]) -> str | msgspec.Raw | None:
    """Write those stamps that travel as one text; those of which many messages have equal ones are written once."""
    for stamp in stamps:
        if not stamp.__repeats__:
            break
    else:
        try:
            return _written_once(*stamps)
        except TypeError:
            pass  # it cannot be looked up: names in a list, made in Python; the request of one object
    written = {name_of(stamp): value_of(stamp) for stamp in stamps if stamp.travels}
    return write_stamps(written) if written else None


@lru_cache(maxsize=1024)
def _written_once(*stamps: Stamp) -> msgspec.Raw:
    text = write_stamps({name_of(stamp): value_of(stamp) for stamp in stamps})
    return msgspec.Raw(msgspec.json.encode(text))


def _modules(registry: Registry) -> set[str]:
    """Modules in which the application declares things: its own stamps go before others of their name."""
    calls = [handler.call for found in registry.handlers.values() for handler in found]
    calls += [entry.call for entry in registry.middleware]
    return {thing.__module__ for thing in (*registry.by_class, *calls) if hasattr(thing, "__module__")}
