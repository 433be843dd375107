"""Route: the last step of dispatching; a message goes to its queue, or to its handlers when it is inline."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from worker.errors import TransportUnavailable
from worker.messaging.declaration import Registry
from worker.messaging.envelope import Envelope
from worker.messaging.middleware import CallNext
from worker.messaging.routing import Route as Target
from worker.messaging.sender import Sender
from worker.messaging.serializer import CONTENT_TYPE, Serializer
from worker.messaging.stamps import Collect, Delay, Sent
from worker.messaging.transport import Outgoing


class Parcel(msgspec.Struct, frozen=True):
    """An encoded message and the name of the transport it leaves by."""

    transport: str
    outgoing: Outgoing


class Route:
    """Sends a message to the queue of its type; passes on what is handled inline.

    An event that nobody subscribes to is not sent: its queue would only grow.
    """

    def __init__(
        self,
        registry: Registry,
        routes: Mapping[str, Target],
        senders: Mapping[str, Sender],
        serializer: Serializer,
        *,
        ignore_events: bool = False,
    ) -> None:
        self._registry = registry
        self._routes = routes
        self._senders = senders
        self._serializer = serializer
        self._ignore_events = ignore_events
        self._unheard = {
            message.name
            for message in registry.of_kind("event")
            if ignore_events or not registry.handlers.get(message.name)
        }

    async def __call__(self, envelope: Envelope[Any], call_next: CallNext) -> Envelope[Any]:
        """Send it, and return with a ``Sent`` stamp once the broker has confirmed.

        Raises:
            PublishFailed: the broker did not take it.
            TransportUnavailable: the broker does not answer, or is not open in this process.
        """
        target = self._routes[envelope.type]
        if envelope.type in self._unheard:
            return envelope
        collect = envelope.get(Collect)
        if target.transport is None:
            if collect is None:
                return await call_next(envelope)
            collect.into.append(envelope.without(Collect))
            return envelope
        parcel = Parcel(target.transport, self.encode(envelope, target.queue))
        if collect is not None:
            collect.into.append(parcel)
        else:
            sender = self._senders.get(target.transport)
            if sender is None:
                raise TransportUnavailable(f"transport {target.transport!r} is not open in this process")
            await sender.send(parcel.outgoing)
        return envelope.with_(Sent(target.transport, target.queue))

    def encode(self, envelope: Envelope[Any], queue: str) -> Outgoing:
        """Make what is published of an envelope."""
        delay = envelope.get(Delay)
        return Outgoing(
            queue=queue,
            id=envelope.id,
            type=envelope.type,
            body=self._serializer.encode(envelope),
            key=envelope.key,
            delay=delay.seconds if delay else 0.0,
            priority=self._registry.messages[envelope.type].priority,
            content_type=CONTENT_TYPE,
        )
