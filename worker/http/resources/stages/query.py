"""Query: what the query string asks for, and whether it may."""

from __future__ import annotations

from collections.abc import Awaitable

from worker.http.parameters import invalid, parameters_of
from worker.http.resources.parameters import Asked, Parameters
from worker.resources.event import RequestEvent
from worker.resources.operation import Operation
from worker.resources.resource import Resource
from worker.resources.stages.access import Scopes
from worker.resources.stages.read import Read
from worker.resources.stores import Wanted

_NOTHING = Asked({}, None, (), [])


class ReadQuery:
    """Reads the query string before the object or the page is read, which may depend on it.

    What does not fit is told by ``CheckQuery``; until then nothing is read that cannot have been meant.

    Args:
        resource: of the operation.
        operation: resolved.
        read: what reads then; None where nothing does.
    """

    def __init__(self, resource: Resource, operation: Operation, read: Read | None) -> None:
        self._parameters = Parameters(resource, operation)
        self._checks = operation.query_parameter_validate is not False
        self._lists = operation.is_collection
        self._scopes = Scopes(resource)
        self._read = read

    def __call__(self, event: RequestEvent) -> Awaitable[None] | None:
        """Read it, and what it asks for.

        Raises:
            Problem: it cannot be read at all.
        """
        asked = read_query(event, self._parameters, self._lists)
        if self._lists and asked.wanted is not None:
            event.wanted = self._narrowed(event, asked.wanted)
        if self._read is None or (self._lists and self._checks and asked.faults):
            return None
        return self._read(event)

    def _narrowed(self, event: RequestEvent, wanted: Wanted) -> Wanted:
        conditions = self._scopes.conditions(event.principal)
        if not conditions:
            return wanted
        return Wanted(
            conditions=(*wanted.conditions, *conditions),
            order=wanted.order,
            limit=wanted.limit,
            after=wanted.after,
        )


def read_query(event: RequestEvent, parameters: Parameters, lists: bool) -> Asked:
    """Read the query string of a request, once."""
    asked: Asked | None = event.asked
    if asked is None:
        scope = event.scope
        given = parameters_of(scope) if scope["query_string"] else {}
        asked = parameters.read(given) if given or lists or parameters.described else _NOTHING
        event.asked = asked
        event.parameters = asked.parameters
    return asked


class CheckQuery:
    """Refuses a query string that does not fit."""

    def __init__(self, resource: Resource, operation: Operation) -> None:
        self._parameters = Parameters(resource, operation)
        self._lists = operation.is_collection
        self._plain = not self._lists and not self._parameters.described

    def __call__(self, event: RequestEvent) -> None:
        """Check it.

        Raises:
            Problem: 422, with every fault.
        """
        if event.asked is None and self._plain and not event.scope["query_string"]:
            return  # nothing was said, and nothing has to be
        asked = read_query(event, self._parameters, self._lists)
        if asked.faults:
            raise invalid(asked.faults)
