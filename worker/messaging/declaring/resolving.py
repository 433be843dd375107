"""Resolves what handlers were declared with: which message each one takes, and how it is called."""

from __future__ import annotations

import inspect
import sys
import typing
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from worker.messaging.breaker import Breaker
from worker.messaging.context import Context
from worker.messaging.declaration import Handler, Kind, MessageType
from worker.messaging.declaring.asking import Predicate, asking, asking_fault
from worker.messaging.declaring.functions import function_of, generator_fault, name_of
from worker.seconds import is_number

Declared = Mapping[type[Any], MessageType]
"""The declared messages by class."""
Call = tuple[str, Callable[..., Any], Predicate | None]
"""Name and function of a handler, and what its class has to be asked first."""

_ASKED = "should_handle"
"""The method of a class of subscribers that is asked before the others."""


@dataclass(frozen=True, slots=True)
class HandlerEntry:
    """A declared handler before its annotation is resolved."""

    target: Any
    kinds: tuple[Kind, ...]
    priority: int
    breaker: Breaker | None = None
    should_handle: Predicate | None = None


def resolve(
    entries: Sequence[HandlerEntry], declared: Declared, faults: list[str]
) -> dict[str, list[Handler]]:
    """Return the handlers of each type by its wire name, in order of registration; what is wrong joins ``faults``."""
    found: dict[str, list[Handler]] = {}
    for entry in entries:
        faults.extend(_entry_faults(entry))
        for name, call, own in _calls(entry, declared, faults):
            handler = _handler(name, call, entry, declared, faults)
            for should_handle in (entry.should_handle, own):
                if handler is not None and should_handle is not None:
                    handler = _asking(handler, should_handle, faults)
            if handler is not None:
                found.setdefault(declared[handler.message].name, []).append(handler)
    return found


def _asking(handler: Handler, should_handle: Predicate, faults: list[str]) -> Handler | None:
    fault = asking_fault(handler.is_async, should_handle)
    if fault is None:
        return asking(handler, should_handle)
    faults.append(f"handler {handler.name}: {fault}")
    return None


def _entry_faults(entry: HandlerEntry) -> Iterator[str]:
    where = f"handler {name_of(entry.target)}"
    if not is_number(entry.priority, int):
        yield f"{where}: priority={entry.priority!r}, expected a whole number"
    breaker: Any = entry.breaker
    if breaker is not None and not isinstance(breaker, Breaker):
        yield f"{where}: breaker={breaker!r}, expected a Breaker(...)"


def _calls(entry: HandlerEntry, declared: Declared, faults: list[str]) -> Iterator[Call]:
    """Name and bound function of each handler that a declaration stands for, and what its class has to be asked first."""
    target = entry.target
    name = name_of(target)
    if isinstance(target, type):
        yield from _methods(target, entry.kinds, declared, faults)
    elif not callable(target):
        faults.append(f"handler {name}: expected a function, a method or a class")
    elif inspect.isfunction(target) and next(iter(inspect.signature(target).parameters), "") == "self":
        owner = _owner(target)
        if owner is None:
            faults.append(
                f"handler {name}: its class cannot be found; decorate the class or pass a bound method"
            )
            return
        instance = _instance(owner, faults)
        if instance is not None:
            yield name, getattr(instance, target.__name__), None
    else:
        yield name, target, None


def _methods(
    cls: type[Any], kinds: tuple[Kind, ...], declared: Declared, faults: list[str]
) -> Iterator[Call]:
    """The public methods of a class and ``__call__``, also inherited, whose first parameter is a message."""
    instance = _instance(cls, faults)
    if instance is None:
        return
    asked = getattr(instance, _ASKED, None) if "event" in kinds else None
    found = False
    for attribute in dict.fromkeys(name for base in reversed(cls.__mro__) for name in vars(base)):
        function = inspect.getattr_static(cls, attribute)
        if asked is not None and attribute == _ASKED:
            continue
        if (attribute.startswith("_") and attribute != "__call__") or not (
            inspect.isfunction(function) or isinstance(function, staticmethod | classmethod)
        ):
            continue
        name = f"{name_of(cls)}.{attribute}"
        method = getattr(instance, attribute)
        try:
            hints = _hints(method, declared)
        except (NameError, TypeError) as error:
            faults.append(f"handler {name}: its annotations cannot be read: {error}")
            found = True
            continue
        first = next(iter(inspect.signature(method).parameters), "")
        if _message(hints.get(first), declared) is not None:
            yield name, method, asked
            found = True
    if not found:
        faults.append(f"handler class {name_of(cls)}: none of its public methods takes a declared message")


def _owner(function: Any) -> type[Any] | None:
    found: Any = sys.modules.get(function.__module__)
    for part in function.__qualname__.split(".")[:-1]:
        found = getattr(found, part, None)
    return found if isinstance(found, type) else None


def _instance(cls: type[Any], faults: list[str]) -> Any:
    try:
        return cls()
    except TypeError as error:
        faults.append(f"handler class {name_of(cls)}: cannot be made without arguments: {error}")
        return None


def _hints(call: Any, declared: Declared) -> dict[str, Any]:
    """Annotations; names that exist only where the application was built are sought among the messages.

    Raises:
        NameError: an annotation names nothing that is known.
        TypeError: an annotation is no type.
    """
    function = function_of(call)
    try:
        return typing.get_type_hints(function)
    except NameError:
        known: dict[str, Any] = {cls.__name__: cls for cls in declared}
        return typing.get_type_hints(function, localns={"Context": Context, **known})


def _message(annotation: object, declared: Declared) -> MessageType | None:
    return declared.get(annotation) if isinstance(annotation, type) else None


def _handler(
    name: str, call: Callable[..., Any], entry: HandlerEntry, declared: Declared, faults: list[str]
) -> Handler | None:
    try:
        parameters = list(inspect.signature(call).parameters.values())
        hints = _hints(call, declared)
    except (NameError, TypeError, ValueError) as error:
        faults.append(f"handler {name}: its annotations cannot be read: {error}")
        return None
    if not parameters:
        faults.append(f"handler {name}: takes no parameter; expected the message first")
        return None
    annotation = hints.get(parameters[0].name)
    message = _message(annotation, declared)
    if message is None:
        shown = "with nothing" if annotation is None else getattr(annotation, "__qualname__", annotation)
        faults.append(
            f"handler {name}: its first parameter is annotated {shown}, which is no declared message; "
            f"declared: {', '.join(sorted(m.name for m in declared.values())) or 'none'}"
        )
        return None
    fault = _shape_fault(call, parameters, message, entry)
    if fault is not None:
        faults.append(f"handler {name}: {fault}")
        return None
    second = parameters[1:2]
    wrong = next((p for p in second if _is_required(p) and not _may_be_context(hints.get(p.name))), None)
    if wrong is not None:
        shown = getattr(hints[wrong.name], "__qualname__", hints[wrong.name])
        faults.append(f"handler {name}: its second parameter is annotated {shown}; expected Context")
        return None
    return Handler(
        name=name,
        call=call,
        message=message.cls,
        wants_context=any(_is_required(p) or hints.get(p.name) is Context for p in second),
        is_async=inspect.iscoroutinefunction(function_of(call)),
        priority=entry.priority,
        breaker=entry.breaker,
    )


def _shape_fault(
    call: Any, parameters: Sequence[inspect.Parameter], message: MessageType, entry: HandlerEntry
) -> str | None:
    if message.kind not in entry.kinds:
        right = "subscriber" if message.kind == "event" else "handler"
        return (
            f"{message.name} is {'an' if message.kind == 'event' else 'a'} {message.kind}; use @app.{right}"
        )
    if any(p.kind is p.KEYWORD_ONLY and p.default is p.empty for p in parameters) or (
        parameters[0].kind is parameters[0].KEYWORD_ONLY
    ):
        return "takes keyword-only parameters; expected the message and the context by position"
    required = sum(_is_required(p) for p in parameters[1:])
    if required > 1:
        return f"takes {required + 1} parameters; expected the message and the context"
    if entry.breaker is not None and message.kind == "query":
        return "has a breaker, which pauses a queue; a query has none"
    return generator_fault(call)


def _may_be_context(annotation: Any) -> bool:
    """Whether what is annotated so can be given the context; what is no class cannot be judged, and may."""
    if annotation is Any or not isinstance(annotation, type) or typing.Protocol in annotation.__mro__:
        return True
    return issubclass(Context, annotation)


def _is_required(parameter: inspect.Parameter) -> bool:
    by_position = parameter.kind in {parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD}
    return by_position and parameter.default is parameter.empty
