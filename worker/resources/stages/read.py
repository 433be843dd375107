"""Read: the object, or the page, that a request is about."""

from __future__ import annotations

from typing import Any

from worker.errors import NotFound
from worker.resources.event import RequestEvent
from worker.resources.identifiers import identifiers_of
from worker.resources.operation import Operation
from worker.resources.processors import Chosen
from worker.resources.resource import Resource


class Read:
    """Reads what there is, and keeps a copy of it as it was.

    Args:
        resource: that is read.
        operation: resolved.
        provider: what reads.
    """

    def __init__(self, resource: Resource, operation: Operation, provider: Chosen) -> None:
        self._resource = resource
        self._provide = provider.call
        self._own = provider.own
        self._changes = operation.method in {"PUT", "PATCH", "DELETE"}
        self._may_be_new = bool(operation.allow_create)
        self._needed = operation.is_safe or self._changes or operation.read is True

    async def __call__(self, event: RequestEvent) -> None:
        """Read it.

        Raises:
            NotFound: there is none.
            Unavailable: the store does not answer.
        """
        if event.switches is not None and event.leaves_out("receive"):
            return
        if self._provide is None:
            found: Any = None
        elif self._own:
            context = event.told(self._resource.cls)
            event.calling = True
            found = await self._provide(event.operation, event.uri_variables, context)
            event.calling = False
        else:
            event.calling = True
            found = await self._provide(event, event.operation, event.uri_variables, event.wanted)
            event.calling = False
        if found is None:
            if self._may_be_new and identifiers_of(self._resource, event.uri_variables) is not None:
                event.created = True
                return
            if self._needed:
                raise NotFound(f"there is no {self._resource.name} here")
        event.data = event.read_data = found
        if self._changes and isinstance(found, self._resource.cls):
            event.previous_data = self._resource.shape.copy(found)
