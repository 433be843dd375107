"""Dispatches the messages of requests, as their callers may send them."""

from __future__ import annotations

from typing import Any

from worker.http.correlation import correlation_id, traceparent
from worker.http.ports import Ports
from worker.messaging.door import admitted
from worker.messaging.envelope import Envelope
from worker.messaging.limits import key_for
from worker.messaging.parcel import Parcel
from worker.messaging.stamps import Collect, Result, Stamp
from worker.resources.event import RequestEvent
from worker.resources.ordered import sends_with_commits
from worker.resources.resource import Resource


class RequestMessenger:
    """Takes messages to the command bus.

    Where a processor of the application composes, what is to be sent is kept for the commit of the request's work, and what
    is to be handled at once is handled after it. So is a message with a key where another operation may do that: it would
    overtake what was sent before.

    Args:
        ports: what it needs from the rest of the house.
        resource: whose messages it takes.
    """

    def __init__(self, ports: Ports, resource: Resource) -> None:
        self._with_commits = sends_with_commits(resource, ports.registry)
        self._bus = ports.messages.command_bus
        self._types = ports.registry.by_class
        self._commands = {
            cls: (declared, ports.messages.inline(declared))
            for cls, declared in self._types.items()
            if declared.kind == "command"
        }
        """Each with whether it is handled at once."""
        self._spend = ports.tokens.spend

    async def __call__(self, event: RequestEvent, message: Any, *stamps: Stamp) -> Any:
        """Dispatch one, and return what its last handler returned where it is handled at once; else None.

        Raises:
            TypeError: its class is no command.
            Forbidden: the caller's token may not send it.
            Exception: what an inline handler raised.
        """
        found = self._commands.get(type(message))
        if found is None:
            raise self._refusal(message)
        declared, inline = found
        principal = event.principal
        if principal.token is not None:
            message = admitted(principal, declared, message)
        if principal.marks:
            stamps = (*principal.marks, *stamps)
        if principal.limits:
            await self._spend(principal)
        if self._with_commits and declared.key is not None and not inline and not event.composing:
            event.composing = event.wrote = await event.work() is not None
        collected: list[Any] | None = None
        if event.composing:
            collected = []
            stamps = (*stamps, Collect(collected, refusing=True))
        id, event.message_id = event.message_id, None
        headers = event.headers
        try:
            event.envelope = envelope = await self._bus.dispatch(
                message,
                *stamps,
                id=id,
                key=None if declared.key is None else key_for(declared, message, None),
                correlation_id=correlation_id(headers.get(b"x-correlation-id")),
                traceparent=traceparent(headers.get(b"traceparent")),
            )
        except Exception:
            event.handling = inline
            raise
        if collected:
            await self._keep(event, collected)
        result = envelope.get(Result)
        return None if result is None else result.value

    def _refusal(self, message: Any) -> TypeError:
        declared = self._types.get(type(message))
        if declared is None:
            why = "declare it, or the resource with messenger=True"
        else:
            kind = f"an {declared.kind}" if declared.kind == "event" else f"a {declared.kind}"
            why = f"it is {kind}: send a command, whose handler does the rest"
        return TypeError(f"{type(message).__name__} is no command; {why}")

    async def _keep(self, event: RequestEvent, collected: list[Any]) -> None:
        parcels = [one for one in collected if isinstance(one, Parcel)]
        work = event.begun
        if parcels and work is not None:
            await work.keep(parcels)
        event.later += tuple(one for one in collected if isinstance(one, Envelope))
