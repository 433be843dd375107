"""Encoding: where a message goes and what it carries, as frames; what cannot be expressed is refused."""

from __future__ import annotations

from collections.abc import Callable

from pamqp import commands

from transports.rabbitmq import delays, names
from transports.rabbitmq.settings import Settings
from transports.rabbitmq.wire.writer import Writer
from worker.messaging.refusal import refusal
from worker.messaging.transport import Outcome, OutcomeKind, Outgoing

LINE = 600.0
"""Longest delay, in seconds, for which a message with a key keeps its place in its lane. With a longer one it leaves the
lane, as the broker lets no consumer hold a message for half an hour."""
KEY, DUE = "key", "x-due"
"""Headers: a message's key, and when it is due, in milliseconds since the epoch (where it waits in its key's lane)."""
_TEXT = 255
"""Bytes of an AMQP property."""


class Encoder:
    """Makes frames of messages.

    Args:
        settings: which kind of queues.
        keyed: whether messages of a queue that have a key go to a queue of their own.
        clock: seconds since the epoch, for messages that wait in their key's lane.
    """

    def __init__(
        self, settings: Settings, keyed: Callable[[str], bool | None], clock: Callable[[], float]
    ) -> None:
        self._keyed = keyed
        self._clock = clock
        self._entrance = delays.entrance(settings.queue_type)
        self._priorities = settings.queue_type == "classic"

    def encode(self, writer: Writer, message: Outgoing) -> bytes:
        """Encode a message for a channel: to its queue, to that of its key, or to the ladder of delays."""
        exchange, routing_key = "", message.queue
        headers: dict[str, object] | None = None
        if message.key is not None:
            headers = {KEY: message.key}
            if self._keyed(message.queue):
                routing_key = names.keys(message.queue)
                if 0 < message.delay <= LINE:
                    headers[DUE] = int((self._clock() + message.delay) * 1000) + 1
        if message.delay > 0 and (headers is None or DUE not in headers):
            exchange, routing_key = self._entrance, delays.routing_key(routing_key, message.delay)
        return writer.publish(
            exchange,
            routing_key,
            message.body,
            id=message.id,
            type=message.type if len(message.type.encode()) <= _TEXT else "",
            content_type=message.content_type,
            headers=headers,
            priority=message.priority if self._priorities else 0,
        )


def refused(message: Outgoing, longest: int | None) -> Outcome | None:
    """Return why a message is not sent at all; None where it can be."""
    reason = refusal(message, len(message.body) if longest is None else longest)
    if reason is None:
        for what, text, most in (
            ("id", message.id, _TEXT),
            ("content type", message.content_type, _TEXT),
            ("queue's name", message.queue, names.LONGEST - 2 * delays.RUNGS),
        ):
            if len(text) * 4 > most and len(text.encode()) > most:
                reason = f"its {what} is longer than {most} bytes"
    return None if reason is None else Outcome(OutcomeKind.REFUSED, reason)


def sent_there(message: Outgoing, reply: commands.Basic.Return) -> bool:
    """Whether a returned message may be ``message``, by where it was sent to."""
    found = reply.routing_key or ""
    return found in {message.queue, names.keys(message.queue)} or found.endswith(f".{message.queue}")
