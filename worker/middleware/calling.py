"""Calling: one handler for one message, in a unit of work of its own."""

from __future__ import annotations

import asyncio
import contextvars
import functools
import inspect
from collections.abc import Callable, Container
from concurrent.futures import Executor
from typing import Any

from worker.errors import HandlersFailed, HandlerTimeout, Held, UsageError
from worker.messaging.context import Context
from worker.messaging.declaration import Handler, Kind, MessageType
from worker.messaging.envelope import Envelope
from worker.messaging.gate import Gate
from worker.messaging.identity import Clock
from worker.messaging.middleware import CallNext, Middleware
from worker.messaging.raising import is_failure
from worker.messaging.sendable import Check, checker
from worker.messaging.stamps import Received, Result
from worker.messaging.unit_of_work import UnitOfWork, UnitsOfWork
from worker.middleware.emit import Emitter


class Calling:
    """Calls handlers. What one noted leaves with its commit; without a transaction, once its broker has confirmed it.

    Args:
        emitter: prepares and publishes what handlers note.
        works: makes units of work; None without a database.
        executor: threads for handlers that are plain functions.
        clock: seconds, that go on evenly: for timeouts.
        make_log: binds a logger to an envelope.
        gate: of this process; what comes from a queue for which it is closed is turned back.
    """

    def __init__(
        self,
        emitter: Emitter,
        works: UnitsOfWork | None,
        executor: Executor | None,
        clock: Clock,
        make_log: Callable[[Envelope[Any]], Any],
        gate: Gate,
    ) -> None:
        self._emitter = emitter
        self._works = works
        self._executor = executor
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
        deadline = None if declared.timeout is None else self._clock() + declared.timeout
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
                    left = context.noted or context.work is not None
                    if left and not await self._leave(handler, context):
                        return envelope
                else:
                    result = await call(envelope.message)
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
        if declared.timeout is None:
            return await self._invoke(handler, arguments)
        scope = asyncio.timeout(declared.timeout)
        try:
            async with scope:
                return await self._invoke(handler, arguments)
        except TimeoutError as error:
            if not scope.expired():
                raise
            raise HandlerTimeout(f"{handler.name} ran longer than {declared.timeout:g} s") from error

    async def _invoke(self, handler: Handler, arguments: tuple[Any, ...]) -> Any:
        if handler.is_async:
            return await handler.call(*arguments)
        run = functools.partial(contextvars.copy_context().run, _outcome, handler.call, *arguments)
        result, error = await asyncio.get_running_loop().run_in_executor(self._executor, run)
        if error is not None:
            raise error
        # a plain function around an async one gives a coroutine, which nobody else would await
        return await result if inspect.isawaitable(result) else result


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


def _outcome(call: Callable[..., Any], *arguments: Any) -> tuple[Any, BaseException | None]:
    """Call a function and tell how it ended: a future cannot hold all that code may raise."""
    try:
        return call(*arguments), None
    except BaseException as error:
        return None, error
