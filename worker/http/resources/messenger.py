"""Dispatches the messages of requests, as their callers may send them."""

from __future__ import annotations

from typing import Any

from worker.http.correlation import correlation_id, traceparent
from worker.http.ports import Ports
from worker.messaging.door import admitted
from worker.messaging.envelope import Envelope
from worker.messaging.limits import key_for
from worker.messaging.parcel import Parcel
from worker.messaging.stamps import Collect, Stamp
from worker.resources.event import RequestEvent


class RequestMessenger:
    """Takes messages to the command bus.

    Where a processor of the application composes, what is to be sent is kept for the commit of the request's work, and what
    is to be handled at once is handled after it.
    """

    def __init__(self, ports: Ports) -> None:
        self._bus = ports.messages.command_bus
        self._inline = ports.messages.inline
        self._types = ports.registry.by_class
        self._spend = ports.tokens.spend

    async def __call__(self, event: RequestEvent, message: Any, *stamps: Stamp) -> Envelope[Any]:
        """Dispatch one.

        Raises:
            TypeError: its class is no command.
            Forbidden: the caller's token may not send it.
            Exception: what an inline handler raised.
        """
        declared = self._types.get(type(message))
        if declared is None or declared.kind != "command":
            raise TypeError(
                f"{type(message).__name__} is no command; "
                + (
                    "declare it, or the resource with messenger=True"
                    if declared is None
                    else f"it is {'an' if declared.kind == 'event' else 'a'} {declared.kind}: "
                    "send a command, whose handler does the rest"
                )
            )
        principal = event.principal
        message = admitted(principal, declared, message)
        if principal.limits:
            await self._spend(principal)
        collected: list[Any] = []
        kept = (Collect(collected),) if event.composing else ()
        id, event.message_id = event.message_id, None
        headers = event.headers
        try:
            envelope = await self._bus.dispatch(
                message,
                *principal.marks,
                *stamps,
                *kept,
                id=id,
                key=None if declared.key is None else key_for(declared, message, None),
                correlation_id=correlation_id(headers.get(b"x-correlation-id")),
                traceparent=traceparent(headers.get(b"traceparent")),
            )
        except Exception:
            event.handling = self._inline(declared)
            raise
        if collected:
            await self._keep(event, collected)
        return envelope

    async def _keep(self, event: RequestEvent, collected: list[Any]) -> None:
        parcels = [one for one in collected if isinstance(one, Parcel)]
        work = event.begun
        if parcels and work is not None:
            await work.keep(parcels)
        event.later += [one for one in collected if isinstance(one, Envelope)]
