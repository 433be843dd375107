"""Where a middleware is placed: what its declaration says is read and checked against what there is."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, get_args

import msgspec

from worker.chain.chain import PRIORITY_LIMIT
from worker.chain.conditions import Condition, parse
from worker.errors import ConfigurationError
from worker.messaging.declaration import Kind, MessageType, MiddlewareEntry
from worker.messaging.declaring.functions import function_of, generator_fault
from worker.messaging.declaring.plugins import plugin_name_fault
from worker.messaging.middleware import GROUPS, SIDES
from worker.messaging.stamps import names as stamp_names
from worker.seconds import is_number
from worker.suggestion import hint

_PARAMETERS = 2
_KINDS: tuple[str, ...] = get_args(Kind)
_FACTS = ("type", "kind", "bus", "on", "transport", "queue", "token", "plugins", "attempt", "id")
"""What conditions read beside stamps."""


@dataclass(frozen=True, slots=True)
class Names:
    """Message classes or wire names that a middleware is for, before the classes' names are known."""

    messages: tuple[type[Any] | str, ...]
    also: object = None


def placed(
    entry: MiddlewareEntry,
    by_name: Mapping[str, MessageType],
    by_class: Mapping[type[Any], MessageType],
    faults: list[str],
) -> MiddlewareEntry:
    """Resolve the messages that a middleware is for; what is wrong with it joins ``faults``."""
    found = [*_place_faults(entry)]
    conditions: list[Condition] = []
    for attribute, text in entry.when.items():
        if not isinstance(text, Names):
            found.extend(_condition_faults(attribute, text, by_name, conditions))
    found.extend(_contradictions(entry, conditions))
    names = entry.when.get("type")
    if isinstance(names, Names):
        types = _types(names, by_name, by_class, found)
        entry = msgspec.structs.replace(entry, when={**entry.when, "type": "|".join(types) if types else "-"})
    faults.extend(f"middleware {entry.name}: {fault}" for fault in found)
    return entry


def _place_faults(entry: MiddlewareEntry) -> Iterable[str]:
    call: Any = entry.call
    if (
        not callable(call)
        or isinstance(call, type)
        or not inspect.iscoroutinefunction(function_of(call))
        or len(inspect.signature(call).parameters) != _PARAMETERS
    ):
        yield "expected an async function of (envelope, call_next)"
    elif (generator := generator_fault(call)) is not None:
        yield generator
    yield from _one_of("on", entry.on, SIDES)
    yield from _one_of("bus", entry.bus, _KINDS)
    yield from _one_of("group", entry.group, tuple(GROUPS))
    yield from plugin_name_fault(entry.plugin)
    if not is_number(entry.priority, int):
        yield f"priority={entry.priority!r}, expected a whole number"
    elif entry.group is not None and abs(entry.priority) > PRIORITY_LIMIT:
        yield f"priority={entry.priority} in a group, expected -{PRIORITY_LIMIT} to {PRIORITY_LIMIT}"


def _one_of(option: str, value: object, known: tuple[str, ...]) -> Iterable[str]:
    if value is not None and value not in known:
        yield f"{option}={value!r}, expected {' or '.join(map(repr, known))}{_meant(value, known)}"


def _meant(value: object, known: Iterable[str]) -> str:
    told = hint(str(value), known)
    return told if told.startswith("; did") else ""


def _condition_faults(
    attribute: object, text: object, by_name: Mapping[str, MessageType], read: list[Condition]
) -> Iterable[str]:
    known = [*_FACTS, *stamp_names()]
    if attribute not in known:
        yield f"when={{{attribute!r}: ...}}: nothing provides {attribute!r}{hint(str(attribute), known)}"
        return
    name = str(attribute)
    try:
        condition = parse(name, text)
    except ConfigurationError as error:
        yield from error.faults
        return
    read.append(condition)
    for term, _ in condition.terms:
        yield from (f"when={{{name!r}: {text!r}}}: {fault}" for fault in _term_faults(name, term, by_name))


def _term_faults(attribute: str, term: str, by_name: Mapping[str, MessageType]) -> Iterable[str]:
    """A value that the attribute never has."""
    if attribute in {"kind", "bus"} and term not in _KINDS:
        yield f"{attribute} is never {term!r}{hint(term, _KINDS)}"
    elif attribute == "on" and term not in SIDES:
        yield f"on is never {term!r}{hint(term, SIDES)}"
    elif attribute == "attempt" and not (term.isdecimal() and int(term) > 0):
        yield f"attempt is never {term!r}; expected a whole number, 1 or more"
    elif attribute == "type" and not term.startswith("worker."):
        declared = by_name.get(term)
        if declared is None:
            yield f"no message {term!r} is declared{hint(term, by_name)}"
        elif declared.name != term:
            yield f"{term!r} is an alias, and type is then {declared.name!r}"


def _contradictions(entry: MiddlewareEntry, conditions: Iterable[Condition]) -> Iterable[str]:
    for condition in conditions:
        said = {"on": entry.on, "bus": entry.bus}.get(condition.attribute)
        if said is not None and condition.verdict({condition.attribute: said}) is False:
            yield (
                f"{condition.attribute}={said!r} and when={{{condition.attribute!r}: {condition.text!r}}}: "
                "both can never hold"
            )


def _named(name: str, by_name: Mapping[str, MessageType]) -> list[MessageType]:
    return [by_name[name]] if name in by_name else []


def _subclasses(base: object, by_class: Mapping[type[Any], MessageType]) -> list[MessageType]:
    """The declared messages that are of a class or of one below it."""
    if not isinstance(base, type):
        return []
    try:
        return [declared for cls, declared in by_class.items() if issubclass(cls, base)]
    except TypeError:  # a protocol that cannot be asked
        return []


def _types(
    names: Names,
    by_name: Mapping[str, MessageType],
    by_class: Mapping[type[Any], MessageType],
    faults: list[str],
) -> list[str]:
    """Wire names of the messages that are meant: those named, of them where a condition on the type is given too."""
    resolved: list[str] = []
    for message in names.messages:
        meant = _named(message, by_name) if isinstance(message, str) else _subclasses(message, by_class)
        if not meant:
            name = message if isinstance(message, str) else getattr(message, "__name__", repr(message))
            faults.append(f"messages={message!r} is no declared message{hint(name, by_name)}")
        resolved += [declared.name for declared in meant if declared.name not in resolved]
    if names.also is None:
        return resolved
    read: list[Condition] = []
    faults.extend(_condition_faults("type", names.also, by_name, read))
    both = [name for name in resolved if all(it.verdict({"type": name}) is not False for it in read)]
    if resolved and read and not both:
        faults.append(f"messages= and when={{'type': {names.also!r}}}: no message is both")
    return both
