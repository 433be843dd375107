"""Messages: how commands, queries and events are declared, and what is wrong with their declarations."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar, overload

from worker.messaging.declaration import Extra, Kind, MessageType
from worker.messaging.declaring.declarations import Declares
from worker.messaging.declaring.draft import Draft
from worker.messaging.declaring.functions import name_of
from worker.messaging.declaring.options import class_faults, option_faults
from worker.messaging.retry import Retry

T = TypeVar("T")

_QUEUED = tuple(
    field
    for field in MessageType.__struct_fields__
    if field not in {"name", "cls", "kind", "cache", "scopes", "hits", "right", "posted", "form"}
)
_ASKED = ("errors", "cache", "extra", "scopes", "hits")
_OPTIONS: Mapping[Kind, tuple[str, ...]] = {
    "command": (*_QUEUED, "scopes"),
    "event": _QUEUED,
    "query": _ASKED,
}

NAME = re.compile(r"^[A-Za-z][A-Za-z0-9_.\-]{0,127}$")
"""Wire names: a letter, then letters, digits, dot, dash and underscore; at most 128."""


class DeclaresMessages(Declares):
    """The decorators of messages."""

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
        scopes: Mapping[str, str] | None = None,
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
        scopes: Mapping[str, str] | None = None,
        hits: str | None = None,
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

    def _declare(self, kind: Kind, given: Any, options: dict[str, Any]) -> Any:
        """Declare a class that was given, with its options; else make the decorator that does."""
        bare = isinstance(given, type)
        name = None if bare else given
        if name is not None and not isinstance(name, str):
            self._declared.faults.append(f"{kind} {name!r}: expected a class, or a wire name and options")
            return name
        aliases, errors = options.get("aliases"), options.get("errors")
        if isinstance(aliases, str):
            self._declared.faults.append(
                f"{kind} {name or ''}: aliases={aliases!r}, expected a list of wire names"
            )
            aliases = ()
        if "aliases" in options:
            options["aliases"] = tuple(aliases or ())
        if options.get("scopes", {}) is None:
            options["scopes"] = {}
        if "errors" in options:
            options["errors"] = dict(errors or {}) if isinstance(errors, Mapping | None) else errors

        def decorate(cls: type[Any]) -> type[Any]:
            wire = str(getattr(cls, "__name__", repr(cls)) if name is None else name)
            known = self._declared.known(f"{kind} {wire!r}", options, _OPTIONS[kind])
            self._declared.add(MessageType(name=wire, cls=cls, kind=kind, **known))
            return cls

        return decorate(given) if bare else decorate


def check_messages(draft: Draft) -> None:
    """Check names, classes and options of the messages."""
    by_name, by_class, faults = draft.by_name, draft.by_class, draft.faults
    draft.messages = draft.declared.of(MessageType)
    for message in draft.messages:
        where = f"{message.kind} {message.name!r} ({name_of(message.cls)})"
        names: tuple[Any, ...] = (message.name, *message.aliases)
        for name in names:
            if not isinstance(name, str) or not NAME.fullmatch(name):
                faults.append(f"{where}: {name!r} is no wire name; expected letters, digits, '.', '-' or '_'")
                continue
            if name in by_name:
                faults.append(f"{where}: {name!r} is declared twice, also by {name_of(by_name[name].cls)}")
            by_name.setdefault(name, message)
        cls: Any = message.cls
        if not isinstance(cls, type):
            faults.extend(f"{where}: {fault}" for fault in class_faults(cls))
            continue
        if message.cls in by_class:
            faults.append(f"{where}: its class is declared twice, also as {by_class[message.cls].name!r}")
        by_class.setdefault(message.cls, message)
        faults.extend(f"{where}: {fault}" for fault in option_faults(message))
