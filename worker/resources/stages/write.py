"""Write: the processor changes the stored state, and what it changed and sent is committed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from worker.messaging.envelope import Envelope
from worker.resources.event import RequestEvent
from worker.resources.processors import Chosen
from worker.resources.resource import Resource

AfterCommit = Callable[[Sequence[Envelope[Any]]], Awaitable[None]]
"""Handles messages that are routed inline and were dispatched with what has been committed."""


class Write:
    """Calls the processor of an operation.

    Args:
        resource: of the operation.
        processor: what changes the stored state.
        after_commit: handles what was to be handled after the commit.
    """

    def __init__(self, resource: Resource, processor: Chosen, after_commit: AfterCommit) -> None:
        self._resource = resource
        self._process = processor.call
        self._own = processor.own
        self._after_commit = after_commit

    async def __call__(self, event: RequestEvent) -> None:
        """Write.

        Raises:
            Taken: an identifier, or what else is unique, is taken.
            Stale: the object has been changed since it was read.
            Unavailable: the store or a broker does not answer.
            Exception: what the processor or an inline handler raised.
        """
        if event.leaves_out("persist") or self._process is None:
            return
        data = event.result
        if self._own:
            event.composing = await event.work() is not None
        context = event.told(self._resource.cls) if self._own else {"event": event}
        event.calling = True
        result = await self._process(data, event.operation, event.uri_variables, context)
        answered = data if result is None and not event.operation.is_delete else result
        work = event.begun
        if work is not None and (self._own or event.wrote):
            if event.remembering is not None and (finished := event.remembering(answered)) is not None:
                await work.remember(finished)
            await work.commit()
        event.calling = False
        if event.later:
            later, event.later = event.later, []
            await self._after_commit(later)
        event.result = answered
