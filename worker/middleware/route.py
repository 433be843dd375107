"""Route: the last step of dispatching; a message goes to its queue, or to its handlers when it is inline."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from worker.chain.compiled import Facts
from worker.errors import TransportUnavailable
from worker.messaging.declaration import Registry
from worker.messaging.envelope import Envelope
from worker.messaging.keys import carried
from worker.messaging.middleware import CallNext
from worker.messaging.parcel import Parcel
from worker.messaging.routing import Destination
from worker.messaging.sender import Sender
from worker.messaging.serializer import CONTENT_TYPE, Serializer
from worker.messaging.stamps import Collect, Delay, Sent
from worker.messaging.transport import Outgoing


class Route:
    """Sends a message to the queue of its type; passes on what is handled inline.

    An event without subscribers is not sent: its queue would only grow.
    """

    def __init__(
        self,
        registry: Registry,
        routes: Mapping[str, Destination],
        senders: Mapping[str, Sender],
        serializer: Serializer,
        *,
        ignore_events: bool = False,
    ) -> None:
        self._registry = registry
        self._routes = routes
        self._senders = senders
        self._serializer = serializer
        self._unheard = {
            message.name
            for message in registry.of_kind("event")
            if ignore_events or not registry.handlers.get(message.name)
        }

    def for_facts(self, facts: Facts, onward: CallNext) -> CallNext:
        """Return the step that sends messages of a type, or keeps them for the commit of the handler they come from.

        It returns with a ``Sent`` stamp once the broker has confirmed, and raises ``PublishFailed`` when the broker
        did not take it, ``TransportUnavailable`` when it does not answer or is not open in this process.
        """
        type_name = facts["type"]
        target = self._routes[type_name]
        if type_name in self._unheard:
            return _drop
        if target.transport is None:
            return _inline(onward)
        transport, queue = target.transport, target.queue
        priority = self._registry.messages[type_name].priority
        encode = self._serializer.encode
        sender = self._senders.get(transport)
        sent = Sent(transport, queue)

        async def send(envelope: Envelope[Any]) -> Envelope[Any]:
            """Encode it, and send or keep it."""
            delay: Delay | None = None
            collect: Collect | None = None
            for stamp in envelope.stamps:  # most have none
                kind = type(stamp)
                if kind is Delay:
                    delay = stamp  # type: ignore[assignment]
                elif kind is Collect:
                    collect = stamp  # type: ignore[assignment]
            outgoing = Outgoing(
                queue=queue,
                id=envelope.id,
                type=type_name,
                body=encode(envelope),
                key=carried(envelope.key),
                delay=delay.seconds if delay else 0.0,
                priority=priority,
                content_type=CONTENT_TYPE,
            )
            if collect is not None:
                if collect.refusing and sender is not None:
                    sender.check(outgoing)
                collect.into.append(Parcel(transport, outgoing))
            elif sender is not None:
                await sender.send(outgoing)
            else:
                error = TransportUnavailable(f"transport {transport!r} is not open in this process")
                error.told = str(error)
                raise error
            return envelope.with_(sent)

        return send


async def _drop(envelope: Envelope[Any]) -> Envelope[Any]:
    return envelope


def _inline(onward: CallNext) -> CallNext:
    async def inline(envelope: Envelope[Any]) -> Envelope[Any]:
        collect = envelope.get(Collect)
        if collect is None:
            return await onward(envelope)
        collect.into.append(envelope.without(Collect))
        return envelope

    return inline
