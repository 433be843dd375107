"""The sending part: what leaves for the brokers, at once or by way of the outbox."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager

import msgspec

from worker.errors import TransportUnavailable
from worker.messaging.sender import Sender
from worker.messaging.serializer import Serializer
from worker.messaging.transport import Outcome, Outgoing
from worker.runtime.relay import Relay
from worker.state.outbox import Outbox
from worker.wiring.parts.brokers import Brokers
from worker.wiring.parts.process import Process
from worker.wiring.parts.state import State
from worker.wiring.refusals import refusals


class Sending(msgspec.Struct, frozen=True, eq=False, kw_only=True):
    """What sends.

    Attributes:
        serializer: writes and reads messages.
        senders: by transport.
        absent: why a transport is none of those, by name.
        outbox: what is committed and not sent yet, and what is parked.
        relay: sends the outbox.
    """

    serializer: Serializer
    senders: Mapping[str, Sender]
    absent: Mapping[str, str]
    outbox: Outbox
    relay: Relay

    async def stranded(self, transports: Sequence[str]) -> list[str]:
        """Say what waits in the outbox for a transport that is none of these, a sentence for each.

        Raises:
            DatabaseUnavailable: the database does not answer.
        """
        found = await self.outbox.stranded(transports)
        return [
            f"{count} {'message waits' if count == 1 else 'messages wait'} in the outbox for transport {name!r}, to which no "
            "message is routed here: run a process that has it until that is sent"
            for name, count in found.items()
        ]

    async def publish(self, transport: str, batch: Sequence[Outgoing]) -> Sequence[Outcome]:
        """Publish to the transport of that name.

        Raises:
            TransportUnavailable: there is none, or it does not answer.
        """
        sender = self.senders.get(transport)
        if sender is None:
            why = self.absent.get(transport, "it is not configured here, or nothing is routed to it")
            raise TransportUnavailable(
                f"transport {transport}: {why.removeprefix(f'transport {transport}: ')}"
            )
        return await sender.publish(batch)


@asynccontextmanager
async def opened_sending(process: Process, state: State, brokers: Brokers) -> AsyncIterator[Sending]:
    """Make what sends."""
    outbox = Outbox(state.database)
    senders = {
        name: Sender(transport, sent=process.observer.sent, parking=outbox)
        for name, transport in brokers.transports.items()
    }
    refused = refusals(state.failures, process.name, process.clock)
    yield Sending(
        serializer=Serializer(process.registry),
        senders=senders,
        absent=brokers.absent,
        outbox=outbox,
        relay=Relay(outbox, senders, process.name, refused),
    )
