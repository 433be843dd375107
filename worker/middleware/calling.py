"""Calling: one handler for one message, in a unit of work of its own."""

from __future__ import annotations

import asyncio
import contextvars
import functools
import inspect
from collections.abc import Awaitable, Callable, Container
from typing import Any, NoReturn, Protocol

import structlog

from worker.errors import HandlersFailed, HandlerTimeout, Paused, Unavailable, UsageError
from worker.messaging.context import Context, set_deadline
from worker.messaging.declaration import Handler, Kind, MessageType
from worker.messaging.envelope import Envelope
from worker.messaging.identity import Clock
from worker.messaging.middleware import CallNext
from worker.messaging.paused import PausedQueues
from worker.messaging.sendable import checker
from worker.messaging.stamps import Received, Result
from worker.messaging.unit_of_work import UnitOfWork, UnitsOfWork
from worker.messaging.unrun import refuse_unrun
from worker.middleware.caught import Caught
from worker.middleware.emit import Emitter
from worker.raising import innermost, is_failure, spoken
from worker.texts import told

log = structlog.stdlib.get_logger("worker.emit")


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


class Call(Protocol):
    """Calls one handler for a message."""

    def __call__(self, envelope: Envelope[Any], begun: bool = False) -> Awaitable[Envelope[Any]]:
        """Call it; ``begun``: an earlier one of the message has run, so that it is finished now."""
        ...


class Calling:
    """Calls handlers. What one noted leaves with its commit; without a transaction, once its broker has confirmed it.

    Args:
        emitter: prepares and publishes what handlers note.
        works: makes units of work; None without a database.
        threads: for handlers that are plain functions.
        clock: seconds, that go on evenly: for timeouts.
        make_log: binds a logger to an envelope.
        paused: queues of this process; what comes from one of them is given back.
        caught: delivers what a handler recorded before it failed; None where that never leaves.
    """

    def __init__(
        self,
        emitter: Emitter,
        works: UnitsOfWork | None,
        threads: Threads,
        clock: Clock,
        make_log: Callable[[Envelope[Any]], Any],
        paused: PausedQueues,
        caught: Caught | None = None,
    ) -> None:
        self._emitter = emitter
        self._caught = caught
        self._works = works
        self._threads = threads
        self._clock = clock
        self._make_log = make_log
        self._paused = paused
        self._storing: Container[str] = () if works is None else works.storing
        self._check = checker(emitter.registry)

    def of(self, handler: Handler, declared: MessageType, again: CallNext | None = None) -> Call:
        """Make the call of one handler for messages of a type: all that is the same for each is found out here.

        With ``again`` it calls that instead for messages with more than one stamp: they may have been handled before.

        It gives the envelope, with a ``Result`` where the handler returned something and its work was not committed
        already. It raises ``HandlersFailed`` with what the handler raised, or ``DatabaseUnavailable`` where that was behind
        it; and ``Paused`` where the type was paused before the handler was called.
        """
        name = handler.name
        opens = self._opens(handler, declared)
        asks_first = opens is not None and handler.name in self._storing
        is_query = declared.kind == "query"
        check = self._check_of_query if is_query else self._check
        leave = self._tell if is_query else self._leave
        begin = self._begun_by(handler, declared)
        paused, make_log, clock = self._paused.queues, self._make_log, self._clock
        wants_context = handler.wants_context
        # in a thread, the time counts from when it starts there
        limit = declared.timeout if handler.is_async else None

        async def call(envelope: Envelope[Any], begun: bool = False) -> Envelope[Any]:
            """Call it, and let leave what it noted, or undo what it did."""
            if again is not None and len(envelope.stamps) > 1:
                return await again(envelope)
            context = None
            try:
                if paused and not begun:
                    self._refuse_paused(envelope)
                if wants_context:
                    deadline = None if limit is None else clock() + limit
                    context = Context(envelope, opens, make_log, deadline, clock, check)
                    if asks_first and opens is not None:
                        context.work = work = opens(envelope.id)
                        if not await work.begin():
                            return envelope
                        if paused and not begun:  # it was paused while the database was asked
                            self._refuse_paused(envelope)
                message = envelope.message
                result = await (begin(message, context) if wants_context else begin(message))
                if result is not None:
                    refuse_unrun(name, result)
                if context is not None:
                    context.ended = True
                    if (context.noted or context.work is not None) and not await leave(handler, context):
                        return envelope
            except BaseException as error:
                await self._fail(handler, envelope, context, error)
            return envelope if result is None else envelope.with_(Result(result))

        return call

    def _opens(self, handler: Handler, declared: MessageType) -> Callable[[str], UnitOfWork] | None:
        """What makes a handler's unit of work for a message's id; None where it cannot have one."""
        if self._works is None or not handler.wants_context:
            return None
        opens = functools.partial(self._works.open, handler=handler.name, read_only=declared.kind == "query")
        return opens if handler.is_async else _on_the_loop(opens)

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

    async def _tell(self, handler: Handler, context: Context) -> bool:
        """Let the events of a query leave. It changed nothing, so its answer does not hang on whether they are taken."""
        if context.work is not None and context.work.touched:
            await context.work.commit(())
        noted = await self._emitter.prepare(context.envelope, handler.name, context.noted)
        try:
            await self._emitter.publish(noted.parcels)
        except Unavailable as error:
            log.warning("events of a query were not sent", handler=handler.name, error=told(error))
        await self._emitter.handle_inline(noted.inline)
        return True

    def _check_of_query(self, call: str, message: Any, kind: Kind) -> None:
        if kind != "event":
            raise UsageError(
                f"{call}(): a query answers and changes nothing; it may record events, and no more"
            )
        self._check(call, message, kind)

    async def _fail(
        self, handler: Handler, envelope: Envelope[Any], context: Context | None, error: BaseException
    ) -> NoReturn:
        """Undo what a handler did, let leave what leaves all the same, and raise what ``of`` says."""
        error = spoken(error)
        try:
            behind = await self._undo(context, error)
            if behind is not error:
                behind.__cause__ = error
            if self._caught is not None:
                noted = () if context is None else context.noted
                await self._caught.deliver(envelope, handler.name, noted, behind)
        except BaseException as worse:
            behind = worse
        if is_failure(behind):
            raise HandlersFailed(envelope, [(handler.name, behind)]) from behind
        raise behind

    async def _undo(self, context: Context | None, error: BaseException) -> BaseException:
        """Roll back and say what to raise: the error, or that the database was behind it."""
        if context is None:
            return error
        context.ended = True
        work = context.work
        if work is None or not work.touched:
            return error
        await work.rollback()
        raised = innermost(error)
        found = work.translate(raised)
        return error if found is raised else found

    def _refuse_paused(self, envelope: Envelope[Any]) -> None:
        received = envelope.get(Received)
        if received is not None and self._paused.keeps(received, envelope.id):
            raise Paused

    def _begun_by(self, handler: Handler, declared: MessageType) -> Callable[..., Awaitable[Any]]:
        """What begins the handler with a message, and with a context where it takes one."""
        call, limit = handler.call, declared.timeout
        if not handler.is_async:
            return functools.partial(self._begun_in_thread, handler, declared)
        if limit is None:
            return call
        return lambda *given: _in_time(call(*given), limit, handler, declared)

    async def _begun_in_thread(
        self, handler: Handler, declared: MessageType, message: Any, context: Context | None = None
    ) -> Any:
        deadline: float | None = None

        def call() -> Any:
            """Set the time by which it must be over, and call it."""
            nonlocal deadline
            if declared.timeout is not None:
                deadline = self._clock() + declared.timeout
                if context is not None:
                    set_deadline(context, deadline)
            return handler.call(message) if context is None else handler.call(message, context)

        try:
            result, error = await self._threads.run(
                functools.partial(contextvars.copy_context().run, call), declared.timeout
            )
        except TimeoutError as over:
            raise _too_long(handler, declared) from over
        if error is not None:
            raise error
        if inspect.isawaitable(result):  # a plain function around an async one: it is awaited here
            left = None if deadline is None else max(0.0, deadline - self._clock())
            result = await _in_time(result, left, handler, declared)
        return result


def _on_the_loop(opens: Callable[[str], UnitOfWork]) -> Callable[[str], UnitOfWork]:
    """Refuse a unit of work to a thread, where what its session is asked cannot be awaited."""

    def open_(message_id: str) -> UnitOfWork:
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            raise UsageError(
                "context.session in a handler that is a plain def: its statements must be awaited; write async def"
            ) from None
        return opens(message_id)

    return open_


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
