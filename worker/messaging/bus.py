"""A bus: takes a message through its chain to routing or to its handlers."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from worker.chain.chain import Chain, Step
from worker.chain.compiled import Narrowed, nested
from worker.errors import HandlersFailed, InvalidMessage, Reject, UnknownType, UsageError
from worker.messaging.declaration import Kind, MessageType, Registry
from worker.messaging.envelope import Envelope
from worker.messaging.identity import ENTROPY, Clock, Entropy, new_id
from worker.messaging.middleware import BusPart, CallNext, Side
from worker.messaging.stamps import Plugins, Stamp
from worker.raising import as_exception, is_failure


class Bus:
    """The chain of one kind of message on one side, compiled per type on first use.

    Args:
        kind: of message that it takes.
        side: where its chain runs.
        registry: the declared types, and the plugins that are on.
        chain: its steps; the last one routes or handles and calls nothing further.
        clock: seconds since the epoch.
        entropy: makes the random part of the ids of messages that are given none.
    """

    def __init__(
        self,
        kind: Kind,
        side: Side,
        registry: Registry,
        chain: Chain[BusPart],
        clock: Clock,
        entropy: Entropy = ENTROPY,
    ) -> None:
        self.kind = kind
        self.chain = chain
        self._registry = registry
        self._facts = {"kind": kind, "bus": kind, "on": side}
        self._clock = clock
        self._entropy = entropy
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
                self._entropy,
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
            error.args = (
                f"the class {message.__name__} itself was given; expected a message of it: {message.__name__}(…){error.hint}",
            )
        return error

    def handle(self, envelope: Envelope[Any]) -> Awaitable[Envelope[Any]]:
        """Take an envelope through the chain, once it is awaited."""
        run = self._compiled.get(envelope.type) or self.compile(envelope.type)
        return run(envelope)

    def steps_for(self, type_name: str) -> tuple[Step[BusPart], ...]:
        """Steps that can run for a type, in order, with the conditions that are asked each time."""
        facts = {"type": type_name, **self._facts, "plugins": self._registry.plugins}
        return self.chain.where(facts).steps

    def compile(self, type_name: str, further: Mapping[str, Any] | None = None) -> CallNext:
        """Make the chain of one type into calls, without the steps that can never run for it.

        A message whose token switches on only some of the plugins takes the chain of those, as it had them when it came
        in. ``further`` facts make a chain of their own, which is not kept.
        """
        facts = {"type": type_name, **self._facts, **(further or {})}
        chain = self.chain.where(facts)
        compiled = Narrowed(
            chain,
            "plugins",
            self._registry.plugins,
            lambda plugins: nested(chain, {**facts, "plugins": plugins}, Envelope.attributes),
        )
        run = _by_plugins(compiled) if compiled.varies else compiled.whole
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
    entropy: Entropy = ENTROPY,
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
    message_id = id or new_id(now, entropy)
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


def _by_plugins(compiled: Narrowed[CallNext]) -> CallNext:
    def by_plugins(envelope: Envelope[Any]) -> Awaitable[Envelope[Any]]:
        narrowed = envelope.get(Plugins)
        run = compiled.whole if narrowed is None else compiled.to(narrowed.names)
        return run(envelope)

    return by_plugins
