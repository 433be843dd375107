"""Publishing: persistent, mandatory and confirmed; many messages in one write; a bounded number unconfirmed."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Sequence
from functools import partial

from pamqp import commands

from transports.rabbitmq.connection import Connection
from transports.rabbitmq.encoding import Encoder, refused, sent_there
from transports.rabbitmq.features import BATCH
from transports.rabbitmq.settings import Settings
from transports.rabbitmq.unconfirmed import Unconfirmed
from transports.rabbitmq.wire import properties
from transports.rabbitmq.wire.channel import Channel, Receiver
from transports.rabbitmq.wire.faults import ChannelClosed, ConnectionLost
from worker.errors import TransportUnavailable
from worker.messaging.abilities import Confirms
from worker.messaging.transport import ACCEPTED, Outcome, OutcomeKind, Outgoing

WINDOW = 2 * BATCH
"""Unconfirmed messages at most."""
_BYTES = 64 * 1024 * 1024
"""Unconfirmed bytes at most, unless a single batch has more."""
_RECONNECT = 1.0
"""Seconds that a publish waits for a connection that was just lost."""
_BLOCKED = 5.0
"""Seconds that a publish waits while the broker takes no publishes."""
_TIMEOUT = 10.0
_TOO_LARGE = re.compile(r"message size \d+ .*max size (\d+)")
"""What the broker says when it closes a channel because of one message."""


class Publisher(Receiver):
    """Publishes over a connection of its own, so that consuming goes on while the broker blocks publishers.

    Args:
        connection: over which to publish.
        settings: how long to wait.
        keyed: whether messages of a queue that have a key go to a queue of their own; None where that is not known.
        learn: finds out what ``keyed`` says, before the first message with a key.
        prepare_delays: creates the ladder of delays, before the first delayed message.
        encoder: makes frames of messages.
    """

    def __init__(
        self,
        connection: Connection,
        settings: Settings,
        *,
        keyed: Callable[[str], bool | None],
        learn: Callable[[str], Awaitable[None]],
        prepare_delays: Callable[[], Awaitable[None]],
        encoder: Encoder,
    ) -> None:
        self._connection = connection
        self._settings = settings
        self._keyed = keyed
        self._learn = learn
        self._prepare_delays = prepare_delays
        self._encoder = encoder
        self._channel: Channel | None = None
        self._opening = asyncio.Lock()
        self._turn = asyncio.Lock()
        self._room = asyncio.Event()
        self._pending: dict[int, tuple[Unconfirmed, int]] = {}
        self._batches: set[Unconfirmed] = set()
        self._bytes = 0
        self._tag = 0
        self._largest: int | None = None  # bytes of a body that the broker takes, once it has said so

    async def publish(self, messages: Sequence[Outgoing], longest: int | None) -> list[Outcome]:
        """Publish, and return once the outcome of each is known, or the deadline has come.

        Bodies of more than ``longest`` bytes are refused; None takes any.

        Raises:
            TransportUnavailable: none was written.
        """
        outcomes: list[Outcome | None] = [self._refused(message, longest) for message in messages]
        fit = [place for place, outcome in enumerate(outcomes) if outcome is None]
        if any(messages[place].delay > 0 for place in fit):
            await self._prepare_delays()
        for queue in {messages[place].queue for place in fit if messages[place].key is not None}:
            await self._learn(queue)
        if not fit:
            await self._ready()  # an answer without a broker would be a guess
        for start in range(0, len(fit), BATCH):
            part = fit[start : start + BATCH]
            try:
                answers = await self._send([messages[place] for place in part])
            except TransportUnavailable as error:
                if not start:
                    raise
                answers = [Outcome(OutcomeKind.UNKNOWN, str(error))] * len(part)
            for place, answer in zip(part, answers, strict=True):
                outcomes[place] = answer
        return [outcome or ACCEPTED for outcome in outcomes]

    def post(self, messages: Sequence[Outgoing], longest: int) -> Confirms | None:
        """Write now, and return what waits for the outcomes; None where ``publish`` has to wait, ask or refuse first."""
        channel = self._free_channel()
        if channel is None:
            return None
        batch = Unconfirmed(messages)
        if not self._fits(batch):
            return None
        for message in messages:
            if message.delay > 0 or self._refused(message, longest) is not None:
                return None
            if message.key is not None and self._keyed(message.queue) is None:
                return None
        self._write(channel, batch)
        return partial(self._confirmed, batch, self._deadline())

    async def check(self) -> None:
        """Say whether publishes are taken at the moment.

        Raises:
            TransportUnavailable: they are not; says why.
        """
        amqp = self._connection.amqp
        if amqp.blocked is not None:
            raise self._connection.unavailable(f"the broker takes no publishes: {amqp.blocked}")

    async def close(self, grace: float) -> None:
        """Wait up to ``grace`` seconds for what is under way."""
        waiting = [batch.settled for batch in self._batches]
        if waiting:
            await asyncio.wait(waiting, timeout=grace)

    # --- what the channel tells -------------------------------------------------------------------------------------

    def confirmed(self, tag: int, *, multiple: bool, taken: bool) -> None:
        """Settle one message, or all up to it."""
        pending = self._pending
        first = next(iter(pending), tag) if multiple else tag
        for number in range(first, tag + 1):
            found = pending.pop(number, None)
            if found is None:
                continue
            batch, place = found
            if taken:
                batch.confirm(place)
            else:
                batch.settle(place, Outcome(OutcomeKind.UNKNOWN, "the broker could not take it (basic.nack)"))
        self._room.set()

    def returned(self, reply: commands.Basic.Return, properties_: bytes, body: bytes) -> None:
        """Note which message found no queue; its confirm follows."""
        message_id = properties.read(properties_).id
        why = Outcome(OutcomeKind.UNROUTABLE, f"no queue {reply.routing_key!r}: {reply.reply_text}")
        for batch, place in self._pending.values():
            message = batch.messages[place]
            if message.id == message_id and batch.outcomes[place] is None and sent_there(message, reply):
                batch.outcomes[place] = why
                return

    def closed(self, error: ChannelClosed | ConnectionLost) -> None:
        """End what is under way: its outcome is unknown, but a message that is larger than the broker takes is refused.

        Such a message closes the channel for all, and would do so again: as long as the connection lasts, it is not sent.
        """
        found = _TOO_LARGE.search(str(error)) if isinstance(error, ChannelClosed) else None
        if found is not None:
            self._largest = int(found[1])
            for batch, place in self._pending.values():
                if batch.outcomes[place] is None:
                    batch.outcomes[place] = self._refused(batch.messages[place], None)
        elif isinstance(error, ConnectionLost):
            self._largest = None
        self._channel = None
        self._pending.clear()
        self._tag = 0
        for batch in self._batches:
            if not batch.settled.done():
                batch.settled.set_result(None)
        self._room.set()

    def _refused(self, message: Outgoing, longest: int | None) -> Outcome | None:
        """Return why a message is not sent at all; None where it can be."""
        size, most = len(message.body), self._largest
        if most is not None and size > most:
            why = f"the body has {size} bytes, the broker takes {most} at most (max_message_size)"
            return Outcome(OutcomeKind.REFUSED, why)
        return refused(message, longest)

    # --- sending ----------------------------------------------------------------------------------------------------

    async def _send(self, messages: Sequence[Outgoing]) -> list[Outcome]:
        batch, deadline = Unconfirmed(messages), self._deadline()
        # before the turn: all callers wait for the broker together, not one after the other
        await self._ready()
        try:
            async with asyncio.timeout_at(deadline):
                async with self._turn:
                    await self._write_with_room(batch)
        except TimeoutError:
            raise self._connection.unavailable(
                f"no room for a publish within {self._settings.publish_timeout:g} s"
            ) from None
        return await self._confirmed(batch, deadline)

    async def _confirmed(self, batch: Unconfirmed, deadline: float) -> list[Outcome]:
        """Wait until all of them are answered, or no answer can come any more."""
        try:
            async with asyncio.timeout_at(deadline):
                await asyncio.shield(batch.settled)
        except TimeoutError:
            why = f"no confirm within {self._settings.publish_timeout:g} s"
            self._give_up(why)
            return batch.result(why)
        finally:
            self._forget(batch)
        return batch.result("the connection was lost before the confirm")

    def _deadline(self) -> float:
        return asyncio.get_running_loop().time() + self._settings.publish_timeout

    def _give_up(self, why: str) -> None:
        """End a connection that confirms nothing, as nothing gets room on it; not where the broker has said why."""
        try:
            amqp = self._connection.amqp
        except TransportUnavailable:
            return
        if amqp.blocked is None:
            amqp.fail(ConnectionLost(why))

    async def _write_with_room(self, batch: Unconfirmed) -> None:
        while not self._fits(batch):
            self._room.clear()
            await self._room.wait()
        channel = self._channel
        if channel is None or channel.error is not None:
            raise self._connection.unavailable("the connection was lost")
        try:
            self._write(channel, batch)
        except (ChannelClosed, ConnectionLost) as error:
            raise self._connection.unavailable(error) from error

    def _fits(self, batch: Unconfirmed) -> bool:
        """Whether the batch has room beside what is not confirmed yet."""
        count = len(self._pending)
        return not count or (count + len(batch.messages) <= WINDOW and self._bytes + batch.size <= _BYTES)

    def _free_channel(self) -> Channel | None:
        """Return the confirming channel, if no other caller waits to write and the broker and the socket take more."""
        channel = self._channel
        if channel is None or channel.error is not None or self._turn.locked():
            return None
        amqp = self._connection.amqp
        return channel if amqp.blocked is None and amqp.writable else None

    def _write(self, channel: Channel, batch: Unconfirmed) -> None:
        """Write it in one piece; raises as the channel's ``send`` does."""
        encode, writer = self._encoder.encode, channel.writer
        channel.send(b"".join([encode(writer, message) for message in batch.messages]))
        self._batches.add(batch)
        self._bytes += batch.size
        tag = self._tag
        for place in range(len(batch.messages)):
            tag += 1
            self._pending[tag] = (batch, place)
        self._tag = tag

    def _forget(self, batch: Unconfirmed) -> None:
        self._batches.discard(batch)
        self._bytes -= batch.size
        self._room.set()

    async def _ready(self) -> Channel:
        """Return the confirming channel, opened where there is none, once the broker takes publishes."""
        amqp = await self._connection.wait(_RECONNECT)
        if amqp.blocked is not None:
            why = amqp.blocked
            try:
                async with asyncio.timeout(_BLOCKED):
                    await amqp.unblocked.wait()
            except TimeoutError:
                raise self._connection.unavailable(f"the broker takes no publishes: {why}") from None
        await amqp.drained()
        channel = self._channel
        if channel is not None and channel.error is None:
            return channel
        async with self._opening:
            if self._channel is not None and self._channel.error is None:
                return self._channel
            try:
                channel = await self._connection.amqp.channel(_TIMEOUT)
                channel.tell(self)
                await channel.call(commands.Confirm.Select(), _TIMEOUT)
            except (ChannelClosed, ConnectionLost) as error:
                raise self._connection.unavailable(error) from error
            except TimeoutError:
                raise self._connection.unavailable(f"no answer within {_TIMEOUT:g} s") from None
            self._channel = channel
            return channel
