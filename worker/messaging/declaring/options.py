"""The options of a message's declaration, checked: each fault names the option, its value and what is expected."""

from __future__ import annotations

import typing
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from worker.messaging.declaration import Extra, MessageType
from worker.messaging.retry import Retry
from worker.seconds import LONGEST, is_number
from worker.suggestion import hint
from worker.tokens.scopes import alternatives, container_of

_STATUS = range(400, 600)


def option_faults(message: MessageType) -> Iterable[str]:
    """Say what is wrong with one declaration."""
    yield from _number_faults(message)
    yield from _kind_faults(message)
    yield from error_faults(message.errors)
    yield from _key_faults(message)
    yield from _scope_faults(message)
    yield from _hits_faults(message)
    yield from class_faults(message.cls)


def _number_faults(message: MessageType) -> Iterable[str]:
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


def _kind_faults(message: MessageType) -> Iterable[str]:
    for option in ("queue", "transport"):
        value = getattr(message, option)
        if value is not None and not (isinstance(value, str) and value.strip() and value.isprintable()):
            yield f"{option}={value!r}, expected a name"
    for option in ("exclusive", "many_handlers", "track"):
        value = getattr(message, option)
        if not isinstance(value, bool):
            yield f"{option}={value!r}, expected True or False"
    retry: Any = message.retry
    if retry is not None and not isinstance(retry, Retry):
        yield f"retry={retry!r}, expected a Retry(...)"
    if message.extra not in typing.get_args(Extra):
        yield f"extra={message.extra!r}, expected 'forbid' or 'ignore'"
    if message.exclusive and message.kind == "event":
        yield "exclusive=True, which is for commands; an event has any number of subscribers"


def error_faults(errors: Any) -> Iterable[str]:
    """Say what is wrong with statuses by error class."""
    if not isinstance(errors, Mapping):
        yield f"errors={errors!r}, expected a status by error class"
        return
    for error, status in errors.items():
        if not (isinstance(error, type) and issubclass(error, BaseException)):
            yield f"errors={{{error!r}: {status!r}}}, expected an error class"
        elif not (is_number(status, int) and status in _STATUS):
            yield f"errors={{{error.__name__}: {status!r}}}, expected a status from 400 to 599"


def _key_faults(message: MessageType) -> Iterable[str]:
    key: Any = message.key
    if key is None or (callable(key) and not isinstance(key, type)):
        return
    fields = _fields(message.cls)
    if not isinstance(key, str):
        yield f"key={key!r}, expected the name of a field, or a function of the message"
    elif key not in fields and not hasattr(message.cls, key):
        known = f"; fields: {', '.join(fields) or 'none'}"
        near = hint(key, fields)
        yield f"key={key!r} is no field of it{known}{near if near.startswith('; did') else ''}"


def _scope_faults(message: MessageType) -> Iterable[str]:
    scopes: Any = message.scopes
    if not isinstance(scopes, Mapping):
        yield f"scopes={scopes!r}, expected fields by the names of scopes"
        return
    for scope, field in scopes.items():
        if not (isinstance(scope, str) and scope and isinstance(field, str)):
            yield f"scopes={{{scope!r}: {field!r}}}, expected the name of a field by that of a scope"
            continue
        if "__mapper__" in vars(message.cls):
            continue  # its columns are read when its form is made
        try:
            container_of(message.cls, field)
        except TypeError as error:
            yield f"scopes={{{scope!r}: {field!r}}}: {error}"


def _hits_faults(message: MessageType) -> Iterable[str]:
    hits: Any = message.hits
    if hits is None:
        return
    hints = _hints(message.cls)
    kinds = {int} if hints is None else {*alternatives(hints.get(hits))} - {type(None)}
    if not isinstance(hits, str) or kinds != {int}:
        yield f"hits={hits!r}, expected the name of a field that holds a whole number"


_FORMED = ("__mapper__", "__pydantic_validator__")
"""What classes have that SQLAlchemy maps, or that are Pydantic's."""


def class_faults(cls: Any) -> Iterable[str]:
    """Say why values of a class cannot be read."""
    if any(mark in vars(cls) for mark in _FORMED):
        return  # they travel in a form that is made later
    try:
        shape = msgspec.inspect.type_info(cls)
        msgspec.json.Decoder(cls)
    except (TypeError, NameError) as error:
        yield f"cannot be decoded: {error}"
        return
    if not isinstance(shape, msgspec.inspect.StructType | msgspec.inspect.DataclassType):
        yield "its class has no fields to read; expected a msgspec Struct, a dataclass or an attrs class"


def _fields(cls: type[Any]) -> list[str]:
    hints = _hints(cls)
    return list(getattr(cls, "__annotations__", {}) if hints is None else hints)


def _hints(cls: type[Any]) -> dict[str, Any] | None:
    """Types of a class's fields; None where they name what is known only where the class was made."""
    try:
        return typing.get_type_hints(cls)
    except (NameError, TypeError):
        return None
