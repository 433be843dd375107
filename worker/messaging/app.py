"""The application object: what a team declares, and nothing that runs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Literal, TypeVar, overload

from worker.messaging.breaker import Breaker
from worker.messaging.declaration import Extra, Kind, MessageType, MiddlewareEntry, Registry
from worker.messaging.handlers import HandlerEntry, name_of
from worker.messaging.placement import Names
from worker.messaging.registry import check
from worker.messaging.retry import Retry
from worker.suggestion import hint

T = TypeVar("T")

_QUEUED = tuple(
    field for field in MessageType.__struct_fields__ if field not in {"name", "cls", "kind", "cache"}
)
_ASKED = tuple(field for field in MessageType.__struct_fields__ if field in {"errors", "cache", "extra"})
_OPTIONS: Mapping[Kind, tuple[str, ...]] = {"command": _QUEUED, "event": _QUEUED, "query": _ASKED}
_PLACEMENT = tuple(
    field for field in MiddlewareEntry.__struct_fields__ if field not in {"name", "call", "when"}
)


class App:
    """Commands, queries, events, handlers and middleware of one application.

    Every decorator works bare and with arguments and returns what it decorated, unchanged. Nothing is
    checked before ``registry()``, so that all faults come in one error.

    Args:
        name: source of its messages and first part of its queues' names.
        plugins: names of the plugins that are on for every message.
    """

    def __init__(self, name: str, *, plugins: Iterable[str] = ()) -> None:
        self.name = name
        self.plugins = (plugins,) if isinstance(plugins, str) else tuple(plugins)
        self._faults: list[str] = []
        self._messages: list[MessageType] = []
        self._handlers: list[HandlerEntry] = []
        self._middleware: list[MiddlewareEntry] = []
        self._included: list[App] = []

    @overload
    def command(self, name: type[T], /) -> type[T]: ...
    @overload
    def command(
        self,
        name: str | None = None,
        *,
        queue: str | None = None,
        transport: str | None = None,
        key: str | Callable[[Any], str | None] | None = None,
        retry: Retry | None = None,
        timeout: float | None = None,
        concurrency: int | None = None,
        priority: int = 0,
        exclusive: bool = False,
        version: int = 1,
        aliases: Iterable[str] = (),
        errors: Mapping[type[BaseException], int] | None = None,
        many_handlers: bool = False,
        track: bool = True,
        extra: Extra = "forbid",
    ) -> Callable[[type[T]], type[T]]: ...
    def command(self, name: Any = None, **options: Any) -> Any:
        """Declare a command: it asks for a change and has one handler.

        The wire name is the class name unless given. See ``MessageType`` for the options.
        """
        return self._declare("command", name, options)

    @overload
    def query(self, name: type[T], /) -> type[T]: ...
    @overload
    def query(
        self,
        name: str | None = None,
        *,
        errors: Mapping[type[BaseException], int] | None = None,
        cache: float | None = None,
        extra: Extra = "forbid",
    ) -> Callable[[type[T]], type[T]]: ...
    def query(self, name: Any = None, **options: Any) -> Any:
        """Declare a query: it asks for data, is handled at once and never queued."""
        return self._declare("query", name, options)

    @overload
    def event(self, name: type[T], /) -> type[T]: ...
    @overload
    def event(
        self,
        name: str | None = None,
        *,
        queue: str | None = None,
        transport: str | None = None,
        key: str | Callable[[Any], str | None] | None = None,
        retry: Retry | None = None,
        timeout: float | None = None,
        concurrency: int | None = None,
        priority: int = 0,
        exclusive: bool = False,
        version: int = 1,
        aliases: Iterable[str] = (),
        errors: Mapping[type[BaseException], int] | None = None,
        many_handlers: bool = False,
        track: bool = True,
        extra: Extra = "forbid",
    ) -> Callable[[type[T]], type[T]]: ...
    def event(self, name: Any = None, **options: Any) -> Any:
        """Declare a domain event: it says what happened and has any number of subscribers."""
        return self._declare("event", name, options)

    @overload
    def handler(self, call: T, /) -> T: ...
    @overload
    def handler(self, *, priority: int = 0, breaker: Breaker | None = None) -> Callable[[T], T]: ...
    def handler(self, call: Any = None, *, priority: int = 0, breaker: Breaker | None = None) -> Any:
        """Declare a handler of the command or query that its first parameter is annotated with.

        Takes a function, a method, or a class whose public methods are the handlers. ``breaker`` pauses the
        command by itself when the handler fails too much.
        """
        return self._add(
            self._handlers.append, lambda it: HandlerEntry(it, ("command", "query"), priority, breaker), call
        )

    @overload
    def subscriber(self, call: T, /) -> T: ...
    @overload
    def subscriber(self, *, priority: int = 0, breaker: Breaker | None = None) -> Callable[[T], T]: ...
    def subscriber(self, call: Any = None, *, priority: int = 0, breaker: Breaker | None = None) -> Any:
        """Declare a subscriber of the event that its first parameter is annotated with.

        ``breaker`` pauses the event by itself, for all its subscribers, when this one fails too much.
        """
        return self._add(
            self._handlers.append, lambda it: HandlerEntry(it, ("event",), priority, breaker), call
        )

    @overload
    def middleware(self, call: T, /) -> T: ...
    @overload
    def middleware(
        self,
        *,
        priority: int = 0,
        group: str | None = None,
        messages: Iterable[type[Any] | str] | None = None,
        when: Mapping[str, object] | None = None,
        plugin: str | None = None,
        bus: Kind | None = None,
        on: Literal["dispatch", "consume"] | None = None,
    ) -> Callable[[T], T]: ...
    def middleware(self, call: Any = None, **options: Any) -> Any:
        """Declare a middleware: ``async def trim(envelope, call_next) -> Envelope``.

        Args:
            call: the function, when used bare.
            **options: ``priority`` (higher is outer), ``group``, ``messages`` (classes or wire names),
                ``when`` (conditions by attribute), ``plugin``, ``bus``, and ``on``: dispatch or consume.
        """
        options = self._known("middleware", options, (*_PLACEMENT, "messages", "when"))
        messages = options.pop("messages", None)
        when = dict(options.pop("when", None) or {})

        def entry(function: Any) -> MiddlewareEntry:
            conditions = dict(when)
            if messages is not None:
                one = isinstance(messages, str | type)
                conditions["type"] = Names((messages,) if one else tuple(messages), also=when.get("type"))
            return MiddlewareEntry(name=name_of(function), call=function, when=conditions, **options)

        return self._add(self._middleware.append, entry, call)

    def include(self, other: App) -> None:
        """Join another application's declarations to this one."""
        given: Any = other
        if isinstance(given, App):
            self._included.append(given)
        else:
            self._faults.append(f"include({given!r}): expected an App")

    def registry(self) -> Registry:
        """Check all declarations and give them, frozen.

        Raises:
            ConfigurationError: with every fault found.
        """
        apps = self._flattened(set())
        return check(
            self.name,
            [message for app in apps for message in app._messages],
            [handler for app in apps for handler in app._handlers],
            [entry for app in apps for entry in app._middleware],
            tuple(dict.fromkeys(plugin for app in apps for plugin in app.plugins)),
            [fault for app in apps for fault in app._faults],
        )

    def _flattened(self, seen: set[int]) -> list[App]:
        if id(self) in seen:
            return []
        seen.add(id(self))
        return [self, *(app for included in self._included for app in included._flattened(seen))]

    def _declare(self, kind: Kind, name: Any, options: dict[str, Any]) -> Any:
        if isinstance(name, type):
            self._messages.append(MessageType(name=name.__name__, cls=name, kind=kind))
            return name
        if name is not None and not isinstance(name, str):
            self._faults.append(f"{kind} {name!r}: expected a class, or a wire name and options")
            return name
        aliases, errors = options.get("aliases"), options.get("errors")
        if isinstance(aliases, str):
            self._faults.append(f"{kind} {name or ''}: aliases={aliases!r}, expected a list of wire names")
            aliases = ()
        if "aliases" in options:
            options["aliases"] = tuple(aliases or ())
        if "errors" in options:
            options["errors"] = dict(errors or {}) if isinstance(errors, Mapping | None) else errors

        def decorate(cls: type[Any]) -> type[Any]:
            wire = str(name or getattr(cls, "__name__", repr(cls)))
            known = self._known(f"{kind} {wire!r}", options, _OPTIONS[kind])
            self._messages.append(MessageType(name=wire, cls=cls, kind=kind, **known))
            return cls

        return decorate

    def _known(self, where: str, options: dict[str, Any], known: tuple[str, ...]) -> dict[str, Any]:
        """Leave out the options that there are not, and note them."""
        for option, value in options.items():
            if option not in known:
                self._faults.append(f"{where}: unknown option {option}={value!r}{hint(option, known)}")
        return {option: value for option, value in options.items() if option in known}

    def _add(self, append: Callable[[Any], None], entry: Callable[[Any], Any], call: Any) -> Any:
        if call is not None:
            append(entry(call))
            return call

        def decorate(function: Any) -> Any:
            append(entry(function))
            return function

        return decorate
