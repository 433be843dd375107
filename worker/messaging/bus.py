"""A bus: takes a message through its chain to routing or to its handlers."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from worker.chain.chain import Chain, Step
from worker.errors import HandlersFailed, InvalidMessage, Reject, UnknownType, UsageError
from worker.messaging.declaration import Kind, MessageType, Registry
from worker.messaging.envelope import Envelope
from worker.messaging.identity import Clock, new_id
from worker.messaging.middleware import CallNext, ForType, Middleware
from worker.messaging.raising import as_exception, is_failure
from worker.messaging.stamps import Stamp


class Bus:
    """The chain of one kind of message on one side, compiled per type on first use.

    Args:
        kind: of message that it takes.
        registry: the declared types.
        chain: its steps; the last one routes or handles and calls nothing further.
        fixed: facts that are the same for each of its messages; steps that they rule out are left out.
        clock: seconds since the epoch.
    """

    def __init__(
        self,
        kind: Kind,
        registry: Registry,
        chain: Chain[Middleware],
        fixed: Mapping[str, Any],
        clock: Clock = time.time,
    ) -> None:
        self.kind = kind
        self.chain = chain
        self._registry = registry
        self._fixed = {"kind": kind, "bus": kind, **fixed}
        self._clock = clock
        self._compiled: dict[str, CallNext] = {}

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
        """Wrap a message and take it through the chain.

        Returns:
            The envelope, with a ``Sent`` stamp when it was queued or a ``Result`` when it was handled.

        Raises:
            UnknownType: the message's class is not declared, or is of another kind.
            AbruptEnd: code raised what is no ``Exception``.
            Exception: what a handler raised, where it was handled at once.
        """
        declared = self._registry.by_class.get(type(message))
        if declared is None or declared.kind != self.kind:
            raise self._unknown(message)
        try:
            envelope = wrap(
                message,
                declared,
                self._registry.application,
                self._clock,
                id=id,
                correlation_id=correlation_id,
                causation_id=causation_id,
                key=key,
                traceparent=traceparent,
                stamps=stamps,
            )
            return await self.handle(envelope)
        except HandlersFailed as failed:
            if not failed.failures:
                raise
            raise as_exception(failed.failures[0][1]) from failed
        except BaseException as error:
            if isinstance(error, Exception) or not is_failure(error):
                raise
            raise as_exception(error) from error

    def _unknown(self, message: Any) -> UnknownType:
        error = UnknownType(type(message).__name__, [m.name for m in self._registry.of_kind(self.kind)])
        if isinstance(message, type):
            error.args = (f"{error}; given was the class {message.__name__} itself, not a message of it",)
        return error

    async def handle(self, envelope: Envelope[Any]) -> Envelope[Any]:
        """Take an envelope through the chain."""
        run = self._compiled.get(envelope.type) or self.compile(envelope.type)
        return await run(envelope)

    def steps_for(self, type_name: str) -> tuple[Step[Middleware], ...]:
        """Steps that can run for a type, in order, with the conditions that are asked each time."""
        return self.chain.compiled_for({"type": type_name, **self._fixed}).steps

    def compile(self, type_name: str, further: Mapping[str, Any] | None = None) -> CallNext:
        """Make the chain of one type into nested calls, without the steps that can never run for it."""
        fixed = {"type": type_name, **self._fixed, **(further or {})}
        run: CallNext = _nothing_left
        for step in reversed(self.chain.compiled_for(fixed).steps):
            own = step.run.for_type(type_name) if isinstance(step.run, ForType) else step.run
            if own is not None:
                run = _around(own, step, run, fixed)
        if further is None:
            self._compiled[type_name] = run
        return run


def is_refusal(error: BaseException) -> bool:
    """Whether ``dispatch`` raised it because a middleware refused the message, or was wrong; no handler was reached."""
    return isinstance(error, Reject | InvalidMessage | UsageError) and not isinstance(
        error.__cause__, HandlersFailed
    )


def wrap(
    message: Any,
    declared: MessageType,
    source: str,
    clock: Clock,
    *,
    id: str | None = None,
    correlation_id: str | None = None,
    causation_id: str | None = None,
    key: str | None = None,
    traceparent: str | None = None,
    stamps: tuple[Stamp, ...] = (),
) -> Envelope[Any]:
    """Put a message into its first envelope: a new id, the time, its key."""
    now = clock()
    message_id = id or new_id(lambda: now)
    return Envelope(
        message=message,
        type=declared.name,
        id=message_id,
        source=source,
        time=timestamp(now),
        correlation_id=correlation_id or message_id,
        causation_id=causation_id,
        key=key if key is not None else declared.key_of(message),
        traceparent=traceparent,
        version=declared.version,
        stamps=stamps,
    )


def timestamp(seconds: float) -> str:
    """Write seconds since the epoch as RFC 3339 in UTC, to the millisecond."""
    whole = int(seconds)
    micros = round((seconds - whole) * 1_000_000)
    if micros == 1_000_000:
        whole, micros = whole + 1, 0
    return f"{_to_the_second(whole)}.{micros // 1000:03d}Z"


@lru_cache(maxsize=4)
def _to_the_second(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).replace(tzinfo=None).isoformat()


async def _nothing_left(envelope: Envelope[Any]) -> Envelope[Any]:
    return envelope


def _around(
    run: Middleware, step: Step[Middleware], call_next: CallNext, fixed: Mapping[str, Any]
) -> CallNext:
    if not step.when:

        def always(envelope: Envelope[Any]) -> Awaitable[Envelope[Any]]:
            return run(envelope, call_next)

        return always

    async def conditional(envelope: Envelope[Any]) -> Envelope[Any]:
        if step.applies({**envelope.attributes(), **fixed}):
            return await run(envelope, call_next)
        return await call_next(envelope)

    return conditional
