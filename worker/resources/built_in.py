"""The built-in processors and the built-in provider, one of each for each resource; an application's own ask for them."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping
from typing import Any, Protocol

from worker.errors import Fault, InvalidMessage
from worker.messaging.faults import escape
from worker.messaging.stamps import Stamp
from worker.resources.event import RequestEvent
from worker.resources.identifiers import identifier_fault, identifiers_of, stated
from worker.resources.operation import Operation
from worker.resources.resource import Resource
from worker.resources.stamps import Remove, Requested
from worker.resources.stores import Filtered, Wanted

Context = Mapping[str, Any]
"""What processors and providers are told beside their arguments."""
_NOTHING: Context = {}


class Messenger(Protocol):
    """Dispatches a message of a request on the command bus."""

    async def __call__(self, event: RequestEvent, message: Any, *stamps: Stamp) -> Any:
        """Return what its last handler returned where it was handled at once, else None; the event gets its envelope."""
        ...


class PersistProcessor:
    """Stores an object in its resource's store, and returns it as it is stored. It is kept at the end of the write stage.

    What is no object of the resource is returned as it is; an object of the operation's ``input`` class becomes one of
    the resource first, by the fields of the same names.
    """

    def __init__(self, resource: Resource) -> None:
        self._resource = resource

    async def process(
        self,
        data: Any,
        operation: Operation,
        uri_variables: Mapping[str, Any] = _NOTHING,
        context: Context = _NOTHING,
    ) -> Any:
        """Store the object.

        Raises:
            InvalidMessage: it is new, and no address can lead to its identifier.
            Taken: its identifier, or what else is unique, is taken.
            Stale: it has been changed since it was read.
            Unavailable: the store does not answer.
        """
        return await self.perform(event_of(context), data, operation)

    async def perform(
        self,
        event: RequestEvent,
        data: Any,
        operation: Operation,
        uri_variables: Mapping[str, Any] = _NOTHING,
    ) -> Any:
        """Do it for a request."""
        work = await event.work()
        obj = self._object(data, operation, event)
        if work is None or not isinstance(obj, self._resource.cls):
            return data
        event.wrote = True
        created = event.created and obj is not event.read_data
        if created:
            name = self._resource.identifier
            fault = identifier_fault(getattr(obj, name, None))
            if fault is not None:
                raise InvalidMessage(self._resource.name, [Fault(f"/{escape(name)}", fault)])
        return await work.persist(self._resource, obj, created=created)

    def _object(self, data: Any, operation: Operation, event: RequestEvent) -> Any:
        """Make an object of the resource of the input's, by the fields of the same names."""
        shape = self._resource.shape
        taken = operation.input
        if not isinstance(taken, type) or not isinstance(data, taken) or isinstance(data, self._resource.cls):
            return data
        values = {name: getattr(data, name) for name in shape.fields if hasattr(data, name)}
        read = event.read_data
        if isinstance(read, self._resource.cls):
            values.pop(self._resource.identifier, None)
            return shape.fill(read, values)
        return shape.make({**values, **stated(self._resource, event.uri_variables)})


class RemoveProcessor:
    """Removes an object from its resource's store; it is gone at the end of the write stage."""

    def __init__(self, resource: Resource) -> None:
        self._resource = resource

    async def process(
        self,
        data: Any,
        operation: Operation,
        uri_variables: Mapping[str, Any] = _NOTHING,
        context: Context = _NOTHING,
    ) -> None:
        """Remove the object; what is no object of the resource stays as it is.

        Raises:
            Stale: it has been changed, or removed, since it was read.
            Unavailable: the store does not answer.
        """
        await self.perform(event_of(context), data, operation)

    async def perform(
        self,
        event: RequestEvent,
        data: Any,
        operation: Operation,
        uri_variables: Mapping[str, Any] = _NOTHING,
    ) -> None:
        """Do it for a request."""
        work = await event.work()
        if work is not None and isinstance(data, self._resource.cls):
            event.wrote = True
            await work.remove(self._resource, data)


class MessengerProcessor:
    """Dispatches an object on the command bus. What is sent leaves with the commit of what is written.

    What a DELETE dispatches has a ``Remove`` stamp; everything has ``Requested``.
    """

    def __init__(self, resource: Resource, messenger: Messenger) -> None:
        self._resource = resource
        self._messenger = messenger
        self._stamps: dict[Operation, tuple[Stamp, ...]] = {}
        """Of operations whose path has no variables."""

    async def process(
        self,
        data: Any,
        operation: Operation,
        uri_variables: Mapping[str, Any] = _NOTHING,
        context: Context = _NOTHING,
    ) -> Any:
        """Dispatch the object, and return what its last handler returned where it is handled at once; else None.

        Raises:
            UnknownType: its class is no command.
            Exception: what an inline handler raised.
        """
        return await self.perform(event_of(context), data, operation, uri_variables)

    def perform(
        self,
        event: RequestEvent,
        data: Any,
        operation: Operation,
        uri_variables: Mapping[str, Any] = _NOTHING,
    ) -> Awaitable[Any]:
        """Do it for a request."""
        variables = uri_variables or event.uri_variables
        stamps = self._stamps.get(operation) if not variables else None
        if stamps is None:
            stamps = self._stamps_of(operation, variables)
            if not variables:
                self._stamps[operation] = stamps
        return self._messenger(event, data, *stamps)

    def _stamps_of(self, operation: Operation, variables: Mapping[str, Any]) -> tuple[Stamp, ...]:
        given = {name: str(value) for name, value in variables.items()}
        asked = Requested(self._resource.name, operation.name or "", operation.method, given)
        return (asked, Remove()) if operation.is_delete else (asked,)


class Provider:
    """Reads the object, or the page, that a request is about from its resource's store; None without one."""

    def __init__(self, resource: Resource) -> None:
        self._resource = resource

    async def provide(
        self, operation: Operation, uri_variables: Mapping[str, Any] = _NOTHING, context: Context = _NOTHING
    ) -> Any:
        """Read it; None where there is none.

        Raises:
            Unavailable: the store does not answer.
        """
        event = event_of(context)
        return await self.perform(
            event, operation, uri_variables or event.uri_variables, context.get("wanted")
        )

    async def perform(
        self,
        event: RequestEvent,
        operation: Operation,
        uri_variables: Mapping[str, Any],
        wanted: Wanted | None,
    ) -> Any:
        """Do it for a request."""
        work = await event.work()
        if work is None:
            return None
        identifiers = identifiers_of(self._resource, uri_variables)
        if identifiers is None:
            return None  # what cannot be an identifier identifies nothing
        if not operation.is_collection:
            if not identifiers:
                return None  # whichever is first would be another one tomorrow
            return await work.find(self._resource, identifiers)
        wanted = wanted or Wanted()
        of_path = tuple(Filtered(name, "eq", value) for name, value in identifiers.items())
        if of_path:
            wanted = Wanted(
                conditions=(*wanted.conditions, *of_path),
                order=wanted.order,
                limit=wanted.limit,
                after=wanted.after,
            )
        return await work.page(self._resource, wanted)


BUILT_IN: tuple[type[Any], ...] = (PersistProcessor, RemoveProcessor, MessengerProcessor, Provider)
"""What constructors of an application's processors and providers may ask for."""


def event_of(context: Context) -> RequestEvent:
    """Return the request that a built-in is called for.

    Raises:
        TypeError: its caller has not passed on the context that it was given.
    """
    event = context.get("event")
    if not isinstance(event, RequestEvent):
        raise TypeError("a built-in processor or provider needs the context that yours was given; pass it on")
    return event
