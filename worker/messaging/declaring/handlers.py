"""Handlers: how they and subscribers are declared, and what is wrong with their declarations."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar, overload

from worker.messaging.breaker import Breaker
from worker.messaging.declaration import Handler, MessageType
from worker.messaging.declaring.built_in import keep_heard, offer_events
from worker.messaging.declaring.declarations import Declares
from worker.messaging.declaring.draft import Draft
from worker.messaging.declaring.resolving import HandlerEntry, resolve

T = TypeVar("T")


class DeclaresHandlers(Declares):
    """The decorators of handlers and subscribers."""

    @overload
    def handler(self, call: T, /) -> T: ...
    @overload
    def handler(self, *, priority: int = 0, breaker: Breaker | None = None) -> Callable[[T], T]: ...
    def handler(self, call: Any = None, *, priority: int = 0, breaker: Breaker | None = None) -> Any:
        """Declare a handler of the command or query that its first parameter is annotated with.

        Takes a function, a method, or a class whose public methods are the handlers. ``breaker`` pauses the
        command by itself when the handler fails too much.
        """
        return self._decorate(lambda it: HandlerEntry(it, ("command", "query"), priority, breaker), call)

    @overload
    def subscriber(self, call: T, /) -> T: ...
    @overload
    def subscriber(
        self,
        *,
        priority: int = 0,
        breaker: Breaker | None = None,
        should_handle: Callable[[Any], bool] | None = None,
    ) -> Callable[[T], T]: ...
    def subscriber(
        self,
        call: Any = None,
        *,
        priority: int = 0,
        breaker: Breaker | None = None,
        should_handle: Callable[[Any], Any] | None = None,
    ) -> Any:
        """Declare a subscriber of the event that its first parameter is annotated with.

        Takes what ``handler`` takes. ``breaker`` pauses the event by itself, for all its subscribers, when this one fails
        too much. ``should_handle`` is asked first, with the event: where it says no, this subscriber is done with it. A
        class may have a method of that name instead, which is asked before its other methods.
        """
        return self._decorate(lambda it: HandlerEntry(it, ("event",), priority, breaker, should_handle), call)


def check_handlers(draft: Draft) -> None:
    """Find out what each handler handles, and check how many there are of each type."""
    offer_events(draft)
    draft.handlers = resolve(draft.declared.of(HandlerEntry), draft.by_class, draft.faults)
    keep_heard(draft)
    for message in draft.messages:
        draft.faults.extend(_count_faults(message, draft.handlers.get(message.name, [])))
    draft.faults.extend(_breaker_faults(draft.handlers))


def _count_faults(message: MessageType, found: Sequence[Handler]) -> Iterable[str]:
    """A command or query has one handler, unless the command says otherwise; an event any number."""
    names = ", ".join(handler.name for handler in found)
    if message.kind != "event" and not found:
        yield f"{message.kind} {message.name!r}: no handler; declare one with @app.handler"
    if len(found) > 1 and message.kind != "event" and not message.many_handlers:
        hint = "; say many_handlers=True if that is meant" if message.kind == "command" else ""
        yield f"{message.kind} {message.name!r}: {len(found)} handlers ({names}), expected one{hint}"
    if len({handler.name for handler in found}) < len(found):
        yield f"{message.kind} {message.name!r}: two handlers of one name ({names})"


def _breaker_faults(handlers: Mapping[str, list[Handler]]) -> Iterable[str]:
    """Handlers that name one dependency must mean one breaker by it."""
    first: dict[str, Handler] = {}
    for found in handlers.values():
        for handler in found:
            breaker = handler.breaker
            if not isinstance(breaker, Breaker) or breaker.dependency is None:
                continue
            other = first.setdefault(breaker.dependency, handler)
            if other.breaker != breaker:
                yield (
                    f"handlers {other.name} and {handler.name}: the breakers of dependency "
                    f"{breaker.dependency!r} differ; expected one Breaker for both"
                )
