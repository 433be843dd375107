"""What the intake needs from the rest of the house; the wiring fills it in."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Any, Protocol

from worker.errors import Unavailable
from worker.failed.documents import FailedDocument, FailedPage, GroupsPage
from worker.messaging.declaration import MessageType, Registry
from worker.messaging.envelope import Envelope
from worker.messaging.failure import Filter
from worker.messaging.health import HealthReport
from worker.messaging.idempotency import Idempotency
from worker.messaging.identity import Clock, Entropy
from worker.messaging.pausing import Applied
from worker.messaging.stamps import Stamp
from worker.messaging.status import StatusReader
from worker.resources.resource import Resource
from worker.resources.stages.write import AfterCommit
from worker.tokens.document import KnownToken
from worker.tokens.principal import Principal


class Bus(Protocol):
    """A bus, seen from outside."""

    async def dispatch(
        self,
        message: Any,
        *stamps: Stamp,
        id: str | None = None,
        correlation_id: str | None = None,
        causation_id: str | None = None,
        key: str | None = None,
        traceparent: str | None = None,
    ) -> Envelope[Any]:
        """Take a message; the envelope has a ``Sent`` stamp when it was queued, else it was handled."""
        ...


class FailedMessages(Protocol):
    """The failure store's service, as ``worker.failed.service`` has it; each method may raise Unavailable."""

    async def list(self, chosen: Filter = ..., limit: int = 50, after: str | None = None) -> FailedPage:
        """Return one page, newest first; InvalidMessage when ``after`` is no cursor."""
        ...

    async def groups(self) -> GroupsPage:
        """Count by type, handler and error type."""
        ...

    async def show(self, failure_id: str) -> FailedDocument:
        """Return one with everything; NotFound when there is none."""
        ...

    async def retry(self, ids: str) -> int:
        """Put one back; NotFound when there is none."""
        ...

    async def retry_many(self, chosen: Filter) -> int:
        """Put many back and say how many."""
        ...

    async def edit(self, failure_id: str, data: Any, *, retry: bool = False) -> None:
        """Replace the data of one; InvalidMessage when it does not fit its type."""
        ...

    async def remove(self, ids: str) -> int:
        """Remove one; NotFound when there is none."""
        ...


class Tokens(Protocol):
    """What is known of tokens; each method may raise DatabaseUnavailable."""

    @property
    def in_use(self) -> bool:
        """Whether there is a token, or has ever been one."""
        ...

    def at_hand(self, secret: bytes) -> Principal | None:
        """Return whose a secret is, where that is known without asking."""
        ...

    async def find(self, secret: bytes) -> Principal | None:
        """Return whose a secret is; None where it is no token's."""
        ...

    async def spend(self, principal: Principal) -> None:
        """Count a message; LimitReached where that would be one too many."""
        ...

    async def all(self) -> Sequence[KnownToken]:
        """Return all tokens, those of the settings first."""
        ...


class NoTokens:
    """Stands for tokens where there are none."""

    in_use = False

    def at_hand(self, secret: bytes) -> Principal | None:
        """No secret is a token's."""
        return None

    async def find(self, secret: bytes) -> Principal | None:
        """No secret is a token's."""
        return None

    async def spend(self, principal: Principal) -> None:
        """Without a token there are no limits."""

    async def all(self) -> Sequence[KnownToken]:
        """There are none."""
        return ()


def _as_declared(message: MessageType) -> bool:
    return message.track


async def _handle_none(envelopes: Sequence[Envelope[Any]]) -> None:
    """There is nothing that could be handled."""


def _five_seconds(error: Unavailable) -> float:
    """Connections to brokers and databases are tried again within this time."""
    return 5.0


@dataclass(frozen=True, kw_only=True, slots=True)
class MessagePorts:
    """How commands and queries are taken.

    Attributes:
        command_bus: takes commands.
        query_bus: takes queries.
        inline: whether a command type is handled at once instead of queued.
        tracked: whether the status of a command type is kept.
        retry_after: seconds until what is unavailable may be back.
        own: the product's own messages by name, which are taken beside the application's.
    """

    command_bus: Bus
    query_bus: Bus
    inline: Callable[[MessageType], bool]
    tracked: Callable[[MessageType], bool] = _as_declared
    retry_after: Callable[[Unavailable], float] = _five_seconds
    own: Mapping[str, MessageType] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class RepeatPorts:
    """What is done about requests that come again with the same key.

    Attributes:
        store: remembers keys and answers.
        wait: seconds that a repeated key waits for the answer of the first request.
    """

    store: Idempotency
    wait: float = 10.0


@dataclass(frozen=True, kw_only=True, slots=True)
class HealthPorts:
    """How this process is.

    Attributes:
        report: makes the health report.
        ready: reasons why this process should get no requests now; none when it should.
    """

    report: Callable[[], Awaitable[HealthReport]]
    ready: Callable[[], Awaitable[list[str]]]


@dataclass(frozen=True, kw_only=True, slots=True)
class ConsumerPorts:
    """How the consumers of the fleet are.

    Attributes:
        document: makes the consumers document.
        applied: waits some seconds, at most, until all workers have applied a version of the pauses.
    """

    document: Callable[[], Awaitable[dict[str, Any]]]
    applied: Callable[[int, float], Awaitable[Applied]]


class Schedules(Protocol):
    """The application's schedules; each method may raise Unavailable."""

    async def document(self) -> dict[str, Any]:
        """Make the schedules document."""
        ...

    async def pause(self, names: Sequence[str], actor: str, reason: str | None = None) -> list[str]:
        """Let their ticks pass by; name those that were not paused. NotFound when there is none of a name."""
        ...

    async def resume(self, names: Sequence[str], actor: str) -> list[str]:
        """Fire their ticks again; name those that were paused. NotFound when there is none of a name."""
        ...

    async def run(self, name: str, actor: str) -> Sequence[str]:
        """Fire one now and return the ids of what it sends; ScheduleFailed, or NotFound."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class RequestLimits:
    """What a request may ask for.

    Attributes:
        max_body: bytes of one message.
        max_batch: bytes of one NDJSON request.
        max_wait: longest ``Prefer: wait``, seconds.
    """

    max_body: int = 1_048_576
    max_batch: int = 16_777_216
    max_wait: float = 60.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Callers:
    """Who is answered.

    Attributes:
        loopback_only: whether only clients on this machine are: true while there is no token.
        hosts: further names that the ``Host`` header may have then.
        clients: addresses of clients that are answered then besides this machine's own.
    """

    loopback_only: bool = True
    hosts: Sequence[str] = ()
    clients: Sequence[str] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Ports:
    """What the intake needs, by feature.

    Attributes:
        registry: the declared types.
        messages: takes commands and queries.
        repeats: knows requests that come again.
        status: where commands stand.
        failed: the failure store's service.
        health: how this process is.
        consumers: how the consumers of the fleet are.
        schedules: the application's schedules.
        limits: of requests.
        callers: who is answered as long as tokens are not in use.
        tokens: who is answered then, and what they may do.
        stopping: set when the intake stops: requests that wait for something are answered then.
        lifespan: entered when the server starts, left when it stops.
        clock: seconds since the epoch.
        entropy: so many random bytes, for secrets.
        title: of the API's documentation.
        version: of the application.
        resources: of the application.
        after_commit: handles messages that were dispatched with what has been committed, and are routed inline.
    """

    registry: Registry
    messages: MessagePorts
    repeats: RepeatPorts
    status: StatusReader
    failed: FailedMessages
    health: HealthPorts
    consumers: ConsumerPorts
    schedules: Schedules
    limits: RequestLimits = RequestLimits()
    callers: Callers = Callers()
    tokens: Tokens = field(default_factory=NoTokens)
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
    lifespan: Callable[[], AbstractAsyncContextManager[Any]] = nullcontext
    clock: Clock = time.time
    entropy: Entropy = os.urandom
    title: str = ""
    version: str = "1"
    resources: Sequence[Resource] = ()
    after_commit: AfterCommit = _handle_none
