"""Emit: what a handler recorded and dispatched becomes messages with ids that follow from the handler's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import structlog

from worker.errors import TransportUnavailable
from worker.messaging.bus import Bus, wrap
from worker.messaging.declaration import Kind, Registry
from worker.messaging.envelope import Envelope
from worker.messaging.identity import Clock, derive_id
from worker.messaging.own_context import OwnContext
from worker.messaging.parcel import Parcel
from worker.messaging.sender import Sender
from worker.messaging.stamps import Collect, Delay, Plugins, Stamp, Token
from worker.raising import is_failure

log = structlog.stdlib.get_logger("worker.emit")

_INHERITED = (Token, Plugins)
"""What a message has of the one whose handler sends it."""


class Noted(msgspec.Struct, frozen=True):
    """What leaves after a handler: parcels for brokers, envelopes to handle inline; both in order."""

    parcels: Sequence[Parcel]
    inline: Sequence[Envelope[Any]]


class Emitter:
    """Prepares what handlers noted, and publishes it.

    Args:
        registry: the declared types.
        buses: the dispatching side of the command and event buses.
        senders: by transport.
        clock: seconds since the epoch.
    """

    def __init__(
        self, registry: Registry, buses: Mapping[Kind, Bus], senders: Mapping[str, Sender], clock: Clock
    ) -> None:
        self.registry = registry
        self._buses = buses
        self._senders = senders
        self._clock = clock

    async def prepare(self, cause: Envelope[Any], handler: str, noted: Sequence[tuple[Any, float]]) -> Noted:
        """Take each noted message through its bus's chain without sending it.

        Its id follows from the causing message, the handler and its place, so that a repeat is the same message.

        Raises:
            Exception: what a middleware of the dispatching side raised.
        """
        collected: list[Any] = []
        inherited = [stamp for stamp in cause.stamps if type(stamp) in _INHERITED]
        for place, (message, delay) in enumerate(noted):
            declared = self.registry.by_class[type(message)]
            stamps: list[Stamp] = [Collect(collected), *inherited]
            if delay:
                stamps.append(Delay(delay))
            envelope = wrap(
                message,
                declared,
                self.registry.application,
                self._clock,
                id=derive_id(cause.id, handler, place),
                correlation_id=cause.correlation_id or cause.id,
                causation_id=cause.id,
                traceparent=cause.traceparent,
                stamps=tuple(stamps),
            )
            await self._buses[declared.kind].handle(envelope)
        return _sorted(collected)

    async def collect(self, envelopes: Sequence[Envelope[Any]]) -> Noted:
        """Take messages that have an envelope through their buses' chains without sending them.

        Raises:
            Exception: what a middleware of the dispatching side raised.
        """
        collected: list[Any] = []
        for envelope in envelopes:
            bus = self._buses[self.registry.messages[envelope.type].kind]
            await bus.handle(envelope.with_(Collect(collected)))
        return _sorted(collected)

    async def publish(self, parcels: Sequence[Parcel]) -> None:
        """Publish in order and return once every broker has confirmed.

        Raises:
            PublishFailed: one was not taken.
            TransportUnavailable: a broker does not answer.
        """
        for name in dict.fromkeys(parcel.transport for parcel in parcels):
            sender = self._senders.get(name)
            if sender is None:
                raise TransportUnavailable(f"transport {name!r} is not open in this process")
            await sender.send_all([parcel.outgoing for parcel in parcels if parcel.transport == name])

    async def handle_inline(self, envelopes: Sequence[Envelope[Any]]) -> None:
        """Handle what is routed inline, after the commit that it belongs to; a failure is logged, not raised."""
        for envelope in envelopes:
            try:
                await OwnContext(self._buses[self.registry.messages[envelope.type].kind].handle(envelope))
            except BaseException as error:
                if not is_failure(error):
                    raise
                log.exception("inline message failed after the commit", type=envelope.type, id=envelope.id)


def _sorted(collected: Sequence[Any]) -> Noted:
    return Noted(
        [item for item in collected if isinstance(item, Parcel)],
        [item for item in collected if isinstance(item, Envelope)],
    )
