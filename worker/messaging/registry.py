"""Checks at start: turns declarations into a ``Registry``, or says everything that is wrong with them."""

from __future__ import annotations

import inspect
import re
import typing
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from worker.chain.conditions import parse_all
from worker.errors import ConfigurationError
from worker.messaging.declaration import Extra, Handler, MessageType, MiddlewareEntry, Registry
from worker.messaging.handlers import HandlerEntry, function_of, generator_fault, name_of, resolve
from worker.messaging.retry import Retry
from worker.seconds import LONGEST, is_number

NAME = re.compile(r"^[A-Za-z][A-Za-z0-9_.\-]{0,127}$")
"""Wire names: a letter, then letters, digits, dot, dash and underscore; at most 128."""

_MIDDLEWARE_PARAMETERS = 2


@dataclass(frozen=True, slots=True)
class Names:
    """Message classes or wire names that a middleware is for, before the classes' names are known."""

    messages: tuple[type[Any] | str, ...]
    also: object = None


def check(
    application: str,
    messages: Sequence[MessageType],
    entries: Sequence[HandlerEntry],
    middleware: Sequence[MiddlewareEntry],
    plugins: tuple[str, ...],
) -> Registry:
    """Check declarations.

    Raises:
        ConfigurationError: with every fault found.
    """
    faults: list[str] = []
    if not NAME.fullmatch(application):
        faults.append(f"App({application!r}): expected a name of letters, digits, '.', '-' or '_'")
    by_name, by_class = _index(messages, faults)
    handlers = resolve(entries, by_class, faults)
    _count_handlers(messages, handlers, faults)
    faults.extend(_breaker_faults(handlers))
    steps = tuple(_middleware(entry, by_name, by_class, faults) for entry in middleware)
    if faults:
        raise ConfigurationError(faults)
    return Registry(
        application=application,
        messages={message.name: message for message in messages},
        by_name=by_name,
        by_class=by_class,
        handlers={name: tuple(sorted(found, key=lambda h: -h.priority)) for name, found in handlers.items()},
        middleware=steps,
        plugins=plugins,
    )


def _index(
    messages: Sequence[MessageType], faults: list[str]
) -> tuple[dict[str, MessageType], dict[type[Any], MessageType]]:
    by_name: dict[str, MessageType] = {}
    by_class: dict[type[Any], MessageType] = {}
    for message in messages:
        where = f"{message.kind} {message.name!r} ({name_of(message.cls)})"
        for name in (message.name, *message.aliases):
            if not NAME.fullmatch(name):
                faults.append(f"{where}: {name!r} is no wire name; expected letters, digits, '.', '-' or '_'")
            if name in by_name:
                faults.append(f"{where}: {name!r} is declared twice, also by {name_of(by_name[name].cls)}")
            by_name.setdefault(name, message)
        if message.cls in by_class:
            faults.append(f"{where}: its class is declared twice, also as {by_class[message.cls].name!r}")
        by_class.setdefault(message.cls, message)
        faults.extend(f"{where}: {fault}" for fault in _option_faults(message))
    return by_name, by_class


def _option_faults(message: MessageType) -> Iterable[str]:
    if not (is_number(message.priority, int) and 0 <= message.priority <= 9):
        yield f"priority={message.priority!r}, expected 0 to 9"
    if message.concurrency is not None and not (
        is_number(message.concurrency, int) and message.concurrency >= 1
    ):
        yield f"concurrency={message.concurrency!r}, expected 1 or more"
    if message.timeout is not None and not (is_number(message.timeout) and 0 < message.timeout <= LONGEST):
        yield f"timeout={message.timeout!r}, expected seconds, more than 0, at most {LONGEST:.0f}"
    if not (is_number(message.version, int) and 1 <= message.version < 2**31):
        yield f"version={message.version!r}, expected 1 or more"
    if message.cache is not None and not (is_number(message.cache) and 0 <= message.cache <= LONGEST):
        yield f"cache={message.cache!r}, expected seconds, 0 or more"
    retry: object = message.retry
    if not isinstance(retry, Retry | None):
        yield f"retry={retry!r}, expected a Retry(...)"
    if message.extra not in typing.get_args(Extra):
        yield f"extra={message.extra!r}, expected 'forbid' or 'ignore'"
    for error, status in message.errors.items():
        if not 400 <= status <= 599:
            yield f"errors={{{error.__name__}: {status}}}, expected a status from 400 to 599"
    if isinstance(message.key, str) and not (
        message.key in _fields(message.cls) or hasattr(message.cls, message.key)
    ):
        yield f"key={message.key!r} is no field of it; fields: {', '.join(_fields(message.cls)) or 'none'}"
    try:
        shape = msgspec.inspect.type_info(message.cls)
        msgspec.json.Decoder(message.cls)
    except (TypeError, NameError) as error:
        yield f"cannot be decoded: {error}"
        return
    if not isinstance(shape, msgspec.inspect.StructType | msgspec.inspect.DataclassType):
        yield "its class has no fields to read; expected a msgspec Struct, a dataclass or an attrs class"


def _fields(cls: type[Any]) -> list[str]:
    try:
        return list(typing.get_type_hints(cls))
    except (NameError, TypeError):
        return list(getattr(cls, "__annotations__", {}))


def _count_handlers(
    messages: Sequence[MessageType], handlers: Mapping[str, list[Handler]], faults: list[str]
) -> None:
    for message in messages:
        found = handlers.get(message.name, [])
        names = ", ".join(handler.name for handler in found)
        if message.kind != "event" and not found:
            faults.append(f"{message.kind} {message.name!r}: no handler; declare one with @app.handler")
        if len(found) > 1 and message.kind != "event" and not message.many_handlers:
            hint = "; say many_handlers=True if that is meant" if message.kind == "command" else ""
            faults.append(
                f"{message.kind} {message.name!r}: {len(found)} handlers ({names}), expected one{hint}"
            )
        if len({handler.name for handler in found}) < len(found):
            faults.append(f"{message.kind} {message.name!r}: two handlers of one name ({names})")


def _breaker_faults(handlers: Mapping[str, list[Handler]]) -> Iterable[str]:
    """Handlers that name one dependency must mean one breaker by it."""
    first: dict[str, Handler] = {}
    for found in handlers.values():
        for handler in found:
            breaker = handler.breaker
            if breaker is None or breaker.dependency is None:
                continue
            other = first.setdefault(breaker.dependency, handler)
            if other.breaker != breaker:
                yield (
                    f"handlers {other.name} and {handler.name}: the breakers of dependency "
                    f"{breaker.dependency!r} differ; expected one Breaker for both"
                )


def _middleware(
    entry: MiddlewareEntry,
    by_name: Mapping[str, MessageType],
    by_class: Mapping[type[Any], MessageType],
    faults: list[str],
) -> MiddlewareEntry:
    faults.extend(f"middleware {entry.name}: {fault}" for fault in _middleware_faults(entry))
    names = entry.when.get("type")
    if not isinstance(names, Names):
        return entry
    if names.also is not None:
        faults.append(f"middleware {entry.name}: messages= and when={{'type': ...}}; expected one of them")
    resolved: list[str] = []
    for message in names.messages:
        declared = by_name.get(message) if isinstance(message, str) else by_class.get(message)
        if declared is None:
            faults.append(f"middleware {entry.name}: messages={message!r} is no declared message")
        else:
            resolved.append(declared.name)
    return msgspec.structs.replace(
        entry, when={**entry.when, "type": "|".join(resolved) if resolved else "-"}
    )


def _middleware_faults(entry: MiddlewareEntry) -> Iterable[str]:
    call: Any = entry.call
    if (
        not callable(call)
        or isinstance(call, type)
        or not inspect.iscoroutinefunction(function_of(call))
        or len(inspect.signature(call).parameters) != _MIDDLEWARE_PARAMETERS
    ):
        yield "expected an async function of (envelope, call_next)"
    elif (generator := generator_fault(call)) is not None:
        yield generator
    for attribute, text in entry.when.items():
        if not isinstance(text, Names):
            try:
                parse_all({attribute: text})
            except ConfigurationError as error:
                yield from error.faults
