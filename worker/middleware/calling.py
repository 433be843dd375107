"""Calling: one handler for one message, in a unit of work of its own."""

from __future__ import annotations

import asyncio
import contextvars
import functools
import inspect
from collections.abc import Awaitable, Callable, Container
from typing import Any, Protocol

from worker.errors import HandlersFailed, HandlerTimeout, Held, UsageError
from worker.messaging.context import Context, set_deadline
from worker.messaging.declaration import Handler, Kind, MessageType
from worker.messaging.envelope import Envelope
from worker.messaging.gate import Gate
from worker.messaging.identity import Clock
from worker.messaging.middleware import CallNext, Middleware
from worker.messaging.raising import is_failure
from worker.messaging.sendable import Check, checker
from worker.messaging.stamps import Received, Result
from worker.messaging.unit_of_work import UnitOfWork, UnitsOfWork
from worker.messaging.unrun import refuse_unrun
from worker.middleware.emit import Emitter


class Threads(Protocol):
    """Runs calls in threads."""

    async def run(
        self, call: Callable[[], Any], limit: float | None = None
    ) -> tuple[Any, BaseException | None]:
        """Run a call and give what it returned, or what it raised.

        Raises:
            TimeoutError: it ran longer than ``limit`` seconds, counted from its start.
            Unavailable: no thread could take it.
        """
        ...


class Calling:
    """Calls handlers. What one noted leaves with its commit; without a transaction, once its broker has confirmed it.

    Args:
        emitter: prepares and publishes what handlers note.
        works: makes units of work; None without a database.
        threads: for handlers that are plain functions.
        clock: seconds, that go on evenly: for timeouts.
        make_log: binds a logger to an envelope.
        gate: of this process; what comes from a queue for which it is closed is turned back.
    """

    def __init__(
        self,
        emitter: Emitter,
        works: UnitsOfWork | None,
        threads: Threads,
        clock: Clock,
        make_log: Callable[[Envelope[Any]], Any],
        gate: Gate,
    ) -> None:
        self._emitter = emitter
        self._works = works
        self._threads = threads
        self._clock = clock
        self._make_log = make_log
        self._gate = gate
        self._storing: Container[str] = () if works is None else works.storing
        self._closed = gate.closed
        self._check = checker(emitter.registry)

    async def run(
        self, handler: Handler, declared: MessageType, envelope: Envelope[Any], *, begun: bool = False
    ) -> Any:
        """Run one handler; ``begun`` says that an earlier one of the message has run, and it is finished.

        Raises:
            Held: its type was paused before it was called.
            BaseException: its own, or DatabaseUnavailable where that was behind it.
        """
        if self._closed and not begun:
            self._turn_back(envelope)
        opens = self._opens(handler, declared)
        work = None
        if opens is not None and handler.name in self._storing:
            work = opens(envelope.id)
            if not await work.begin():
                return None
            if self._closed and not begun:  # it closed while the database was asked
                self._turn_back(envelope)
        # in a thread, the time counts from when it starts there
        timed = declared.timeout is not None and handler.is_async
        deadline = self._clock() + (declared.timeout or 0.0) if timed else None
        context = Context(envelope, opens, self._make_log, deadline, self._clock, self._check_of(declared))
        context.work = work
        try:
            result = await self._call(handler, declared, context)
            context.ended = True
            if context.noted or context.work is not None:
                return result if await self._leave(handler, context) else None
        except BaseException as error:
            behind = await self._undo(context, error)
            if behind is error:
                raise
            raise behind from error
        return result

    def alone(self, handler: Handler, declared: MessageType, otherwise: Middleware) -> Middleware:
        """Make the shortest way to the only handler of a type, a coroutine function without a timeout.

        Envelopes that say more than where they were received, and those of a closed queue, go ``otherwise``.
        """
        name, call, wants_context = handler.name, handler.call, handler.wants_context
        opens, storing = self._opens(handler, declared), self._storing
        closed, make_log, clock = self._closed, self._make_log, self._clock
        check = self._check_of(declared)

        async def call_alone(envelope: Envelope[Any], call_next: CallNext) -> Envelope[Any]:
            """Call it in a unit of work of its own."""
            if closed or len(envelope.stamps) > 1:
                return await otherwise(envelope, call_next)
            context = None
            try:
                if wants_context:
                    context = Context(envelope, opens, make_log, None, clock, check)
                    if opens is not None and name in storing:
                        context.work = work = opens(envelope.id)
                        if not await work.begin():
                            return envelope
                        if closed:
                            self._turn_back(envelope)
                    result = await call(envelope.message, context)
                    context.ended = True
                    if result is not None:
                        refuse_unrun(name, result)
                    left = context.noted or context.work is not None
                    if left and not await self._leave(handler, context):
                        return envelope
                else:
                    result = await call(envelope.message)
                    if result is not None:
                        refuse_unrun(name, result)
            except BaseException as error:
                behind = await self._undo(context, error)
                if not is_failure(behind):
                    raise
                if behind is not error:
                    behind.__cause__ = error
                raise HandlersFailed(envelope, [(name, behind)]) from behind
            return envelope if result is None else envelope.with_(Result(result))

        return call_alone

    def _opens(self, handler: Handler, declared: MessageType) -> Callable[[str], UnitOfWork] | None:
        """What makes a handler's unit of work for a message's id; None where it cannot have one."""
        if self._works is None or not handler.wants_context:
            return None
        opens = functools.partial(self._works.open, handler=handler.name, read_only=declared.kind == "query")
        return opens if handler.is_async else _on_the_loop(opens)

    def _check_of(self, declared: MessageType) -> Check:
        return _only_answers if declared.kind == "query" else self._check

    async def _leave(self, handler: Handler, context: Context) -> bool:
        """Let what was noted leave, with the commit where there is one; False when another delivery was first."""
        work = context.work
        noted = await self._emitter.prepare(context.envelope, handler.name, context.noted)
        if work is not None and work.touched:
            if not await work.commit(noted.parcels):
                return False
        elif noted.parcels:
            await self._emitter.publish(noted.parcels)
        if noted.inline:
            await self._emitter.handle_inline(noted.inline)
        return True

    async def _undo(self, context: Context | None, error: BaseException) -> BaseException:
        """Roll back and say what to raise: the error, or that the database was behind it."""
        if context is None:
            return error
        context.ended = True
        work = context.work
        if work is None or not work.touched:
            return error
        await work.rollback()
        return work.translate(error)

    def _turn_back(self, envelope: Envelope[Any]) -> None:
        received = envelope.get(Received)
        if received is not None and self._gate.holds(received, envelope.id):
            raise Held

    async def _call(self, handler: Handler, declared: MessageType, context: Context) -> Any:
        message = context.envelope.message
        arguments = (message, context) if handler.wants_context else (message,)
        if handler.is_async:
            result = await _in_time(handler.call(*arguments), declared.timeout, handler, declared)
        else:
            result = await self._call_in_thread(handler, declared, context, arguments)
            if inspect.isawaitable(
                result
            ):  # a plain function around an async one; nobody else would await it
                result = await _in_time(result, context.remaining, handler, declared)
        if result is not None:
            refuse_unrun(handler.name, result)
        return result

    async def _call_in_thread(
        self, handler: Handler, declared: MessageType, context: Context, arguments: tuple[Any, ...]
    ) -> Any:
        def call() -> Any:
            """Set the time by which it must be over, and call it."""
            if declared.timeout is not None:
                set_deadline(context, self._clock() + declared.timeout)
            return handler.call(*arguments)

        try:
            result, error = await self._threads.run(
                functools.partial(contextvars.copy_context().run, call), declared.timeout
            )
        except TimeoutError as over:
            raise _too_long(handler, declared) from over
        if error is not None:
            raise error
        return result


def _on_the_loop(opens: Callable[[str], UnitOfWork]) -> Callable[[str], UnitOfWork]:
    """Refuse a unit of work to a thread: there, nobody can await what its session is asked."""

    def open_(message_id: str) -> UnitOfWork:
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            raise UsageError(
                "context.session in a handler that is a plain def: its statements must be awaited; write async def"
            ) from None
        return opens(message_id)

    return open_


def _only_answers(call: str, _message: Any, _kind: Kind) -> None:
    raise UsageError(f"{call}(): a query answers; it records no events and dispatches no commands")


async def _in_time(
    running: Awaitable[Any], limit: float | None, handler: Handler, declared: MessageType
) -> Any:
    """Wait for it no longer than ``limit`` seconds."""
    if limit is None:
        return await running
    scope = asyncio.timeout(limit)
    try:
        async with scope:
            return await running
    except TimeoutError as error:
        if not scope.expired():
            raise
        raise _too_long(handler, declared) from error


def _too_long(handler: Handler, declared: MessageType) -> HandlerTimeout:
    return HandlerTimeout(f"{handler.name} ran longer than {declared.timeout:g} s")
