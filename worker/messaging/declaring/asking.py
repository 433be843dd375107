"""Asking: a subscriber with ``should_handle`` handles an event only where that says yes."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import msgspec

from worker.messaging.declaration import Handler
from worker.messaging.declaring.functions import function_of, generator_fault
from worker.messaging.unrun import refuse_unrun

Predicate = Callable[[Any], Any]
"""Says whether an event is to be handled: a function of it, ``async`` or not."""


def asking(handler: Handler, should_handle: Predicate) -> Handler:
    """Make the handler that asks first; what asking raises is its failure."""
    call = _async_call(handler, should_handle) if handler.is_async else _call(handler, should_handle)
    return msgspec.structs.replace(handler, call=call)


def asking_fault(is_async: bool, should_handle: Any) -> str | None:
    """Say what is wrong with a predicate for a subscriber that is ``async`` or not; None where nothing is."""
    if not callable(should_handle) or isinstance(should_handle, type):
        return f"should_handle={should_handle!r}, expected a function of the event"
    if not is_async and inspect.iscoroutinefunction(function_of(should_handle)):
        return "its should_handle is async and it is not; write both as async def, or both as def"
    fault = generator_fault(should_handle)
    return None if fault is None else f"its should_handle {fault}"


def _call(handler: Handler, should_handle: Predicate) -> Callable[..., Any]:
    def call(event: Any, *context: Any) -> Any:
        said = should_handle(event)
        refuse_unrun(f"should_handle of {handler.name}", said)
        return handler.call(event, *context) if said else None

    return call


def _async_call(handler: Handler, should_handle: Predicate) -> Callable[..., Any]:
    is_async = inspect.iscoroutinefunction(function_of(should_handle))

    async def call(event: Any, *context: Any) -> Any:
        said = should_handle(event)
        if is_async:
            said = await said
        refuse_unrun(f"should_handle of {handler.name}", said)
        return await handler.call(event, *context) if said else None

    return call
