"""Setting up and looking: everything that is not per message, over a channel of its own a round of questions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

from pamqp import base, commands

from transports.rabbitmq.connection import Connection
from transports.rabbitmq.steps import Counted, Exchange, Queue, QueueBinding, Step
from transports.rabbitmq.wire.faults import ChannelClosed, WireFault

if TYPE_CHECKING:
    from pamqp.common import FieldTable

ANSWER = 10.0
"""Seconds that the broker has for a round, and for each of its steps beside."""
_STEP = 1.0
_BACK = 5.0
"""Seconds that a connection which was lost has to come back."""
_CLOSING = 2.0
_MISSING, _DIFFERS = 404, 406


class Missing(Exception):
    """A queue or exchange that was looked for is not there."""


class Differs(Exception):
    """A queue or exchange exists with other arguments; says which."""


class Administration:
    """Asks over a connection that is kept for consuming: the broker never blocks that one; every wait is bounded.

    Args:
        connection: opened before anything is asked.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def perform(self, steps: Sequence[Step]) -> list[Counted]:
        """Take the steps in order, all sent at once; returns what was counted of the queues among them.

        Raises:
            Missing: what was looked for is not there; the steps before it are done.
            Differs: a declared queue or exchange exists with other arguments.
            TransportUnavailable: the broker does not answer, or refuses.
        """
        seconds = ANSWER + _STEP * len(steps)
        try:
            link = await self._connection.wait(_BACK)
            channel = await link.channel(ANSWER)
            try:
                answers = await channel.call_all([_request(step) for step in steps], seconds)
            finally:
                await channel.close(_CLOSING)
        except ChannelClosed as error:
            if error.code == _MISSING:
                raise Missing(str(error)) from error
            if error.code == _DIFFERS:
                raise Differs(str(error)) from error
            raise self._connection.unavailable(error) from error
        except WireFault as error:
            raise self._connection.unavailable(error) from error
        except TimeoutError:
            raise self._connection.unavailable(f"no answer within {seconds:g} s") from None
        return [
            Counted(answer.message_count or 0, answer.consumer_count or 0)
            for answer in answers
            if isinstance(answer, commands.Queue.DeclareOk)
        ]


def _request(step: Step) -> base.Frame:
    if isinstance(step, Queue):
        arguments = None if step.arguments is None else cast("FieldTable", dict(step.arguments))
        return commands.Queue.Declare(
            queue=step.name, passive=arguments is None, durable=True, arguments=arguments
        )
    if isinstance(step, Exchange):
        return commands.Exchange.Declare(
            exchange=step.name, exchange_type="topic", passive=step.passive, durable=True
        )
    if isinstance(step, QueueBinding):
        return commands.Queue.Bind(queue=step.queue, exchange=step.exchange, routing_key=step.pattern)
    return commands.Exchange.Bind(destination=step.exchange, source=step.source, routing_key=step.pattern)
