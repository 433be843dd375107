"""Queues under former names: what still waits there is moved to the queue of today's name.

A type that was renamed had the queue of its old name, which it keeps as an alias: no worker takes from there any more. And a
letter after a digit began a word once: the queue of ``NoRetry`` in ``b2b`` was ``b2-b-no-retry`` and is ``b2b-no-retry``.
Processes of the release before may go on sending to the old one during a deploy, so it is looked at again and again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence

import msgspec
import structlog

from worker.errors import Unavailable, UnknownType, WorkerError
from worker.messaging.cloudevents import BINARY_IDS, CONTENT_TYPE
from worker.messaging.declaration import Registry
from worker.messaging.envelope import Envelope
from worker.messaging.keys import carried
from worker.messaging.naming import former_queue_name, queue_name
from worker.messaging.transport import Ack, Delivery, Outgoing, QueueSpec, Release, Settlement, Transport
from worker.wiring.service import Service

EVERY = 60.0
"""Seconds between two looks."""
PATIENCE = 0.5
"""Seconds without a message after which a queue counts as empty."""
PARTITION_PATIENCE = 5.0
"""The same where partitions are assigned first, which takes some."""
BATCH = 100
GRACE = 1.0

log = structlog.stdlib.get_logger("worker")


class Move(msgspec.Struct, frozen=True):
    """From where to where messages are moved, on one transport."""

    transport: str
    former: QueueSpec
    today: str


def moves(registry: Registry, queues: Iterable[tuple[str, QueueSpec]]) -> list[Move]:
    """Say which of these queues, by transport, had other names; one that is in use today is left alone."""
    queues = list(queues)
    used = {(transport, spec.name) for transport, spec in queues}
    found = []
    for transport, spec in queues:
        for name in spec.types:
            declared = registry.messages[name]
            if declared.queue is not None:
                continue
            formers = [queue_name(registry.application, alias) for alias in declared.aliases]
            found += [
                Move(transport, msgspec.structs.replace(spec, name=former, types=(name,)), spec.name)
                for former in dict.fromkeys([former_queue_name(registry.application, name), *formers])
                if former != spec.name and (transport, former) not in used
            ]
    return found


class Former:
    """Moves what waits on former queues.

    Args:
        service: opened.
        moves: what is to be moved.
    """

    def __init__(self, service: Service, moves: Sequence[Move]) -> None:
        self._service = service
        self._moves = list(moves)

    async def run(self) -> None:
        """Look every minute, until cancelled."""
        while self._moves:
            await self.look()
            await asyncio.sleep(EVERY)

    async def look(self) -> None:
        """Move all that waits; what cannot be moved now is left for the next look."""
        await asyncio.gather(*(self._look(move) for move in list(self._moves)))

    async def _look(self, move: Move) -> None:
        transport = self._service.brokers.transports.get(move.transport)
        if transport is None:
            return
        try:
            # what else of it is missing, like a topic for retries, does not matter: it is only read
            if move.former.name not in await transport.missing([move.former]):
                await self._empty(transport, move)
        except WorkerError as error:
            log.warning("former queue not read", queue=move.former.name, error=str(error))

    async def _empty(self, transport: Transport, move: Move) -> None:
        subscription = await transport.subscribe(move.former, slots=BATCH)
        patience = PARTITION_PATIENCE if transport.features.shares == "partition" else PATIENCE
        moved = 0
        try:
            while deliveries := await subscription.receive(BATCH, patience):
                settled = await self._moved(move, deliveries)
                await subscription.settle(settled)
                moved += sum(isinstance(one, Ack) for one in settled)
                if any(isinstance(one, Release) for one in settled):
                    break
        finally:
            await subscription.close(GRACE)
        if moved:
            log.info("messages moved", queue=move.former.name, to=move.today, count=moved)

    async def _moved(self, move: Move, deliveries: Sequence[Delivery]) -> list[Settlement]:
        """Copy first, then acknowledge; what is not ours, or was not taken, goes back."""
        copies: dict[int, Outgoing] = {}
        for index, delivery in enumerate(deliveries):
            copy = self._copy(move, delivery)
            if copy is None:
                if move in self._moves:
                    self._moves.remove(move)
                    log.warning("former queue belongs to another application, or is not readable; left alone",
                                queue=move.former.name)  # fmt: skip
                break
            copies[index] = copy
        try:
            taken = (
                await self._service.sending.senders[move.transport].publish(list(copies.values()))
                if copies
                else ()
            )
        except Unavailable as error:
            log.warning("former queue not emptied", queue=move.former.name, error=str(error))
            taken = ()
        accepted = {index for index, outcome in zip(copies, taken, strict=False) if outcome.accepted}
        return [
            Ack(delivery) if index in accepted else Release(delivery)
            for index, delivery in enumerate(deliveries)
        ]

    def _copy(self, move: Move, delivery: Delivery) -> Outgoing | None:
        """Make the message for today's queue; None for one that must stay."""
        (name,) = move.former.types
        read = self._service.sending.serializer.decode(
            delivery.body, delivery.headers, move.former.types, delivery.id
        )
        body = delivery.body
        if isinstance(read, Envelope) and queue_name(read.source or "-", read.type) == move.former.name:
            return None  # today's own queue of an application of another name
        if not isinstance(read, Envelope) and isinstance(read.error, UnknownType):
            return None  # likewise, with types of its own
        if _is_binary(delivery.headers):
            if not isinstance(read, Envelope):
                return None  # its attributes are in the headers, and cannot be told
            body = self._service.sending.serializer.encode(read)
        return Outgoing(
            queue=move.today,
            id=delivery.id,
            type=name,
            body=body,
            key=carried(delivery.key),
            priority=self._service.process.registry.messages[name].priority,
        )


def _is_binary(headers: Mapping[str, str]) -> bool:
    return headers.get("content-type") != CONTENT_TYPE and not BINARY_IDS.isdisjoint(headers)
