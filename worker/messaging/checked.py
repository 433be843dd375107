"""Holds an application's middleware to its promise: an envelope of the same message comes back, sent or handled once."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable
from typing import Any

from worker.chain.compiled import Facts
from worker.errors import InvalidMessage, UsageError, WrongMiddleware
from worker.messaging.declaration import MessageType, Registry
from worker.messaging.envelope import Envelope
from worker.messaging.middleware import CallNext, Middleware
from worker.messaging.stamps import Result, Sent, Stamp, name_of, stamp_fault
from worker.messaging.validation import fitting

_OUTCOMES: tuple[type[Stamp], ...] = (Sent, Result)
"""What the rest of the chain says about a message; an answer that lost it would not be true."""


class Checked:
    """An application's middleware as a step of a chain.

    Args:
        name: of the middleware, for errors.
        call: it.
        registry: the declared types.
    """

    def __init__(self, name: str, call: Middleware, registry: Registry) -> None:
        self._name = name
        self._call = call
        self._registry = registry

    def for_facts(self, facts: Facts, onward: CallNext) -> CallNext:
        """Return the step for one type and side. It raises ``WrongMiddleware`` where the middleware breaks its promise.

        Where messages are consumed nothing is sent and no answer is awaited: that ``call_next`` is called once is not
        watched there, which spares half of the cost a message.
        """
        declared = self._registry.messages[facts["type"]]
        call, expected = self._call, _Expected(self._name, declared)
        if facts["on"] == "consume":
            return _received(call, expected, onward)

        async def checked(envelope: Envelope[Any]) -> Envelope[Any]:
            """Run it, with a rest of the chain that is watched."""
            rest = _Rest(expected, onward, envelope)
            try:
                outcome = await call(envelope, rest)
            except WrongMiddleware:
                raise
            except UsageError as error:
                raise expected.wrong(f"asked for what cannot be: {error}", rest.outcome) from error
            if outcome is rest.outcome and outcome is not None:
                return outcome
            return expected.outcome(outcome, rest.outcome)

        return checked


class _Expected:
    """What a middleware passes on and returns for one type."""

    __slots__ = ("cls", "declared", "name", "type")

    def __init__(self, name: str, declared: MessageType) -> None:
        self.name = name
        self.declared = declared
        self.type = declared.name
        self.cls = declared.cls

    def fits(self, envelope: Any) -> bool:
        return (
            type(envelope) is Envelope and envelope.type == self.type and type(envelope.message) is self.cls
        )

    def outcome(self, outcome: Any, inner: Envelope[Any] | None) -> Envelope[Any]:
        """Return what the middleware returned, with what became of the message."""
        if not self.fits(outcome):
            raise self.returned(outcome, inner)
        kept: Envelope[Any] = outcome
        if inner is None:
            return kept
        if kept.id != inner.id:
            raise self.returned(outcome, inner)
        lost = [
            stamp for kind in _OUTCOMES if (stamp := inner.get(kind)) is not None and kept.get(kind) is None
        ]
        return kept.with_(*lost) if lost else kept

    def check_changes(self, given: Envelope[Any], passed: Envelope[Any]) -> None:
        """Refuse a message, or a stamp, that was put in and that could not be read again.

        Raises:
            WrongMiddleware: names what does not fit.
        """
        try:
            if passed.message is not given.message:
                fitting(self.declared, passed.message)
        except InvalidMessage as error:
            raise self.wrong(f"passed on what does not fit its type: {error}") from error
        if passed.stamps is not given.stamps:
            for stamp in passed.stamps:
                if not any(stamp is one for one in given.stamps) and (why := stamp_fault(stamp)) is not None:
                    raise self.wrong(f"passed on what does not fit its type: stamp {name_of(stamp)!r}: {why}")

    def returned(self, outcome: Any, inner: Envelope[Any] | None = None) -> WrongMiddleware:
        """Say what came back."""
        if self.fits(outcome):
            what = f"the envelope of {outcome.id}; expected what call_next returned"
        else:
            what = f"{_shown(outcome)}; expected {self._wanted(inner)}"
        return self.wrong(f"returned {what}", inner)

    def passed(self, envelope: Any) -> WrongMiddleware:
        """Say what ``call_next`` was given."""
        return self.wrong(f"called call_next with {_shown(envelope)}; expected an envelope of {self.type}")

    def wrong(self, what: str, inner: Envelope[Any] | None = None) -> WrongMiddleware:
        """Say what is wrong, and what has become of the message all the same."""
        sent = inner.get(Sent) if inner is not None else None
        if inner is None:
            fate = ""
        elif sent is not None:
            fate = f"; {self.type} {inner.id} was queued all the same, on {sent.transport}/{sent.queue}"
        else:
            fate = f"; {self.type} {inner.id} was handled all the same"
        return WrongMiddleware(f"middleware {self.name} {what}{fate}")

    def _wanted(self, inner: Envelope[Any] | None) -> str:
        return f"an envelope of {self.type}: return {'the envelope' if inner is None else 'what call_next returned'}"


def _received(call: Middleware, expected: _Expected, onward: CallNext) -> CallNext:
    """Make the step of a chain for received messages: it looks at what is passed on, and at what is returned."""
    name, cls = expected.type, expected.cls

    def rest(envelope: Envelope[Any]) -> Awaitable[Envelope[Any]]:
        if type(envelope) is not Envelope or envelope.type != name or type(envelope.message) is not cls:
            raise expected.passed(envelope)
        return onward(envelope)

    async def checked(envelope: Envelope[Any]) -> Envelope[Any]:
        """Run it."""
        try:
            outcome = await call(envelope, rest)
        except WrongMiddleware:
            raise
        except UsageError as error:
            raise expected.wrong(f"asked for what cannot be: {error}") from error
        if outcome is envelope or (expected.fits(outcome) and outcome.id == envelope.id):
            return outcome
        raise expected.returned(outcome)

    return checked


class _Rest:
    """The rest of the chain as one middleware gets it for one message; it may be repeated only where it failed."""

    __slots__ = ("_call_next", "_expected", "_given", "_running", "outcome")

    def __init__(self, expected: _Expected, call_next: CallNext, given: Envelope[Any]) -> None:
        self._expected = expected
        self._given = given
        self._call_next = call_next
        self._running = False
        self.outcome: Envelope[Any] | None = None

    async def __call__(self, envelope: Envelope[Any]) -> Envelope[Any]:
        """Run the rest of the chain."""
        expected = self._expected
        if not expected.fits(envelope):
            raise expected.passed(envelope)
        if envelope is not self._given:
            expected.check_changes(self._given, envelope)
        if self._running or self.outcome is not None:
            raise expected.wrong(
                "called call_next twice; expected once, or again after it failed", self.outcome
            )
        self._running = True
        try:
            outcome = await self._call_next(envelope)
        finally:
            self._running = False
        self.outcome = outcome
        return outcome


def _shown(value: Any) -> str:
    """Say what a value is, and nothing of what is in it."""
    if value is None:
        return "None"
    if inspect.iscoroutine(value):
        value.close()
        return "a coroutine that was not awaited (write: return await call_next(envelope))"
    if type(value) is Envelope:
        return f"an envelope of {value.type} with a {type(value.message).__name__} in it"
    return f"a {type(value).__name__}"
