"""Write: the processor changes the stored state, and what it changed and sent is committed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from worker.errors import UsageError
from worker.messaging.envelope import Envelope
from worker.resources.event import RequestEvent
from worker.resources.limited import unbroken
from worker.resources.operation import Operation
from worker.resources.processors import Chosen
from worker.resources.resource import Resource

AfterCommit = Callable[[Sequence[Envelope[Any]]], Awaitable[None]]
"""Handles messages that are routed inline and were dispatched with what has been committed."""


class Write:
    """Calls the processor of an operation.

    Args:
        resource: of the operation.
        operation: resolved.
        processor: what changes the stored state.
        after_commit: handles what was to be handled after the commit.
    """

    def __init__(
        self, resource: Resource, operation: Operation, processor: Chosen, after_commit: AfterCommit
    ) -> None:
        self._resource = resource
        self._removes = operation.is_delete
        self._process = processor.call
        self._own = processor.own
        self._after_commit = after_commit
        taken = (resource.cls, operation.input) if isinstance(operation.input, type) else (resource.cls,)
        self._expected = taken if processor.stores else (object,)

    async def __call__(self, event: RequestEvent) -> None:
        """Write.

        Raises:
            Taken: an identifier, or what else is unique, is taken.
            Stale: the object has been changed since it was read.
            Unavailable: the store or a broker does not answer.
            UsageError: what is to be written is nothing that the store keeps.
            Exception: what the processor or an inline handler raised.
        """
        if self._process is None or (event.switches is not None and event.leaves_out("persist")):
            return
        data = event.data if event.held is None else event.held[0]
        if not isinstance(data, self._expected) and (data is not None or event.set_by is not None):
            raise self._wrong(data, event)
        if self._own:
            event.composing = await event.work() is not None
            context = event.told(self._resource.cls)
            event.calling = True
            result = await self._process(data, event.operation, event.uri_variables, context)
        else:
            event.calling = True
            result = await self._process(event, data, event.operation, event.uri_variables)
        answered = data if result is None and not self._removes else result
        work = event.begun
        if work is not None and (self._own or event.wrote):
            if event.remembering is not None and (finished := event.remembering(answered)) is not None:
                await work.remember(finished)
            if event.operation.timeout is None:
                await work.commit()
            else:
                await unbroken(work.commit())
        event.calling = False
        if event.later:
            later, event.later = event.later, ()
            await self._after_commit(later)
        event.held = (answered,)

    def _wrong(self, data: Any, event: RequestEvent) -> UsageError:
        what = "None" if data is None else f"a {type(data).__name__}"
        who = "" if event.set_by is None else f", set by {event.set_by}"
        expected = " or ".join(cls.__name__ for cls in self._expected)
        return UsageError(
            f"{event.operation.name}: what is to be written is {what}{who}; expected {expected}. "
            "event.attributes['persist'] = False leaves out that anything is, event.response answers at once"
        )
