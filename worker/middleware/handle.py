"""Handle: the last step of consuming; each handler runs in a unit of work of its own."""

from __future__ import annotations

import asyncio
import contextvars
import functools
import inspect
from collections.abc import Callable
from concurrent.futures import Executor
from typing import Any

from worker.errors import HandlersFailed, HandlerTimeout, Held
from worker.messaging.context import Context
from worker.messaging.declaration import Handler, MessageType, Registry
from worker.messaging.envelope import Envelope
from worker.messaging.gate import Gate
from worker.messaging.identity import Clock
from worker.messaging.middleware import CallNext
from worker.messaging.stamps import Abandoned, Handled, Received, Result
from worker.messaging.unit_of_work import UnitOfWork, UnitsOfWork
from worker.middleware.emit import Emitter, Noted

_NOTHING = Noted((), ())


class Handle:
    """Runs the handlers that have not finished with a message, higher priority first.

    A handler that raises does not keep the next from running. What a handler noted leaves with its commit;
    where it never touched the session there is no transaction, and its messages are confirmed by their
    broker before the message counts as handled.

    Args:
        registry: the declared handlers.
        emitter: prepares and publishes what handlers note.
        works: makes units of work; None without a database.
        executor: threads for handlers that are plain functions.
        clock: seconds since the epoch.
        make_log: binds a logger to an envelope.
        gate: of this process; what comes from a queue for which it is closed is turned back.
    """

    def __init__(
        self,
        registry: Registry,
        emitter: Emitter,
        works: UnitsOfWork | None,
        executor: Executor | None,
        clock: Clock,
        make_log: Callable[[Envelope[Any]], Any],
        gate: Gate | None = None,
    ) -> None:
        self._registry = registry
        self._emitter = emitter
        self._works = works
        self._executor = executor
        self._clock = clock
        self._make_log = make_log
        self._gate = gate or Gate()
        self._closed = self._gate.closed

    async def __call__(self, envelope: Envelope[Any], _call_next: CallNext) -> Envelope[Any]:
        """Run the handlers; the outcome carries the last one's ``Result``.

        Raises:
            HandlersFailed: with the handlers that failed and an envelope stamped with those that are done.
            Held: its type was paused before a handler was called.
        """
        handlers = self._registry.handlers.get(envelope.type, ())
        declared = self._registry.messages[envelope.type]
        if len(handlers) == 1 and len(envelope.stamps) <= 1:  # where it was received, and nothing else
            return await self._only(handlers[0], declared, envelope)
        done = envelope.get(Handled)
        names = list(done.handlers) if done else []
        abandoned = envelope.get(Abandoned)
        left_out = {*names, *(abandoned.handlers if abandoned else ())}
        failures: list[tuple[str, Exception]] = []
        result = None
        begun = False
        for handler in handlers:
            if handler.name in left_out:
                continue
            try:
                result = await self._run(handler, declared, envelope, begun=begun)
            except Exception as error:
                failures.append((handler.name, error))
            else:
                names.append(handler.name)
            begun = True
        if failures or abandoned:
            stamped = envelope.with_(Handled(tuple(names))) if names else envelope
            raise HandlersFailed(stamped, failures) from (failures[0][1] if failures else None)
        return envelope if result is None else envelope.with_(Result(result))

    async def _only(self, handler: Handler, declared: MessageType, envelope: Envelope[Any]) -> Envelope[Any]:
        try:
            result = await self._run(handler, declared, envelope)
        except Exception as error:
            raise HandlersFailed(envelope, [(handler.name, error)]) from error
        return envelope if result is None else envelope.with_(Result(result))

    async def _run(
        self, handler: Handler, declared: MessageType, envelope: Envelope[Any], *, begun: bool = False
    ) -> Any:
        """Run one handler; ``begun`` says that an earlier one of the message has run, and it is finished."""
        if self._closed and not begun:
            self._turn_back(envelope)
        if not handler.wants_context and handler.is_async and declared.timeout is None:
            return await handler.call(envelope.message)
        work = None
        if self._works is not None:
            work = self._works.open(envelope.id, handler.name, read_only=declared.kind == "query")
        if work is not None and not await work.begin():
            return None
        if self._closed and not begun:  # it closed while the database was asked
            self._turn_back(envelope)
        deadline = None if declared.timeout is None else self._clock() + declared.timeout
        context = Context(envelope, work, self._make_log, deadline, self._clock)
        try:
            if (
                declared.timeout is None and handler.is_async and handler.wants_context
            ):  # the common case, without a frame more
                result = await handler.call(envelope.message, context)
            else:
                result = await self._call(handler, declared, context)
            noted = _NOTHING
            if context.noted:
                noted = await self._emitter.prepare(envelope, handler.name, context.noted)
            if work is not None and work.touched:
                if not await work.commit(noted.parcels):
                    return None
            elif noted.parcels:
                await self._emitter.publish(noted.parcels)
        except BaseException as error:
            behind = await self._undo(work, error)
            if behind is error:
                raise
            raise behind from error
        if noted.inline:
            await self._emitter.handle_inline(noted.inline)
        return result

    def _turn_back(self, envelope: Envelope[Any]) -> None:
        received = envelope.get(Received)
        if received is not None and self._gate.holds(received, envelope.id):
            raise Held

    async def _undo(self, work: UnitOfWork | None, error: BaseException) -> BaseException:
        """Roll back and say what to raise: the error, or that the database was behind it."""
        if work is None or not work.touched:
            return error
        await work.rollback()
        return work.translate(error)

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
        run = functools.partial(contextvars.copy_context().run, handler.call, *arguments)
        result = await asyncio.get_running_loop().run_in_executor(self._executor, run)
        # a plain function around an async one gives a coroutine, which nobody else would await
        return await result if inspect.isawaitable(result) else result
