"""Polls of one queue: one at a time while little comes, more while they come back full; none is broken off.

Where a poll is broken off, the service still hides what it would have brought until the lease ends. So a poll that is not
waited for any more goes on, and what it brings is given back then.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from transports.sqs.arrivals import ATTRIBUTES, Polled
from transports.sqs.connection import Connection, Link
from transports.sqs.faults import Refused
from transports.sqs.queues import Queue, Queues
from transports.sqs.settings import Settings
from worker.errors import TransportUnavailable

MOST = 10
"""Messages that one poll brings."""

QUICK = 1
"""Seconds that a poll waits while messages flow: short enough for a stop to let it end."""

_BRIEF = 5
"""Seconds that the poll of an idle queue hides what it brings: as long as that is out of reach if a stop breaks it off."""

_NO_QUEUE = 1.0
"""Seconds after which a queue that is not there is looked for again."""


class PollsOwner(Protocol):
    """What polls ask of their transport."""

    settings: Settings
    connection: Connection
    queues: Queues


class Caught(NamedTuple):
    """What one poll brought: its queue, the service's messages, its times, and the seconds for which they are hidden."""

    queue: Queue
    messages: Sequence[Mapping[str, Any]]
    polled: Polled
    hidden: float


class Polls:
    """Asks for messages.

    Args:
        owner: the transport.
        name: the application's name of the queue.
        took: takes over what a poll brought, before the poll counts as ended.
        ended: called when one has ended, whatever it brought.

    Attributes:
        url: of the queue, once it is known.
        trouble: why the last one failed, until that is taken.
    """

    def __init__(
        self,
        owner: PollsOwner,
        name: str,
        took: Callable[[Caught], Awaitable[None]],
        ended: Callable[[], object],
    ) -> None:
        self.url = ""
        self.trouble: TransportUnavailable | None = None
        self._owner = owner
        self._name = name
        self._took = took
        self._told = ended
        self._expected: dict[asyncio.Task[None], int] = {}
        self._pollers = 1
        self._idle = True

    @property
    def under_way(self) -> Collection[asyncio.Task[None]]:
        """The polls that are under way."""
        return self._expected.keys()

    def ask(self, wanted: int) -> None:
        """Start as many polls as ``wanted`` messages need beside those under way, and as are allowed."""
        wanted -= sum(self._expected.values())
        longest = self._owner.settings.wait
        while wanted > 0 and len(self._expected) < self._pollers:
            count = min(wanted, MOST)
            self._start(count, longest if self._idle else min(longest, QUICK))
            wanted -= count

    async def glance(self, limit: int) -> None:
        """Poll once without waiting for messages; where the caller is cancelled meanwhile, the poll goes on."""
        await asyncio.wait({self._start(min(limit, MOST), 0)})

    def _start(self, count: int, wait: int) -> asyncio.Task[None]:
        poll = asyncio.get_running_loop().create_task(self._run(count, wait))
        self._expected[poll] = count
        poll.add_done_callback(self._ended)
        return poll

    def _ended(self, poll: asyncio.Task[None]) -> None:
        self._expected.pop(poll, None)
        self._told()

    async def _run(self, count: int, wait: int) -> None:
        owner, loop = self._owner, asyncio.get_running_loop()
        lease = owner.settings.lease
        hidden = min(lease, _BRIEF if wait > QUICK else lease)
        try:
            queue = await owner.queues.find(self._name)
            if queue is None:
                await asyncio.sleep(_NO_QUEUE if wait else 0)
                return
            self.url = queue.url
            sent = loop.time()
            answer = await owner.connection.call(
                Link.RECEIVE,
                "ReceiveMessage",
                QueueUrl=queue.url,
                MaxNumberOfMessages=count,
                WaitTimeSeconds=wait,
                VisibilityTimeout=int(hidden),
                MessageAttributeNames=["All"],
                MessageSystemAttributeNames=list(ATTRIBUTES),
            )
        except Refused as refused:
            if refused.missing:
                owner.queues.forget(self._name)
            else:
                self.trouble = owner.connection.unavailable(refused)
            return
        except TransportUnavailable as error:
            self.trouble = error
            return
        messages = answer.get("Messages") or ()
        if wait:
            self._adapt(len(messages), count)
        if messages:
            date = answer.get("ResponseMetadata", {}).get("HTTPHeaders", {}).get("date")
            await self._took(Caught(queue, messages, Polled(sent, loop.time(), wait, date), hidden))

    def _adapt(self, came: int, count: int) -> None:
        """Allow one more poll where one came back full; a single one where it brought nothing."""
        if came >= count:
            self._pollers = min(self._pollers + 1, self._owner.settings.pollers)
        elif not came:
            self._pollers = 1
        self._idle = not came
