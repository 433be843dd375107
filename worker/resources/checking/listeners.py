"""Checks of listeners: where they stand, what they are, and the conditions under which they run."""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from msgspec.structs import replace

from worker.chain.chain import PRIORITY_LIMIT
from worker.chain.conditions import parse
from worker.chain.declared import StepEntry
from worker.errors import ConfigurationError
from worker.messaging.declaring.draft import Draft
from worker.messaging.declaring.functions import function_of, generator_fault, name_of
from worker.messaging.declaring.plugins import plugin_name_fault
from worker.messaging.declaring.steps import named_step
from worker.resources.declared import DeclaredResource, Listener, ListenerEntry
from worker.resources.hook import ACTIONS, EVENTS, Event, Hook
from worker.seconds import is_number
from worker.suggestion import hint, near

FACTS = ("class", "action", "method", "operation", "request_type", "token", "plugins")
"""What conditions read of each request; steps may add attributes of their own."""
_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")


def check_listeners(draft: Draft, resources: Iterable[DeclaredResource]) -> None:
    """Find the place of each listener, a class's methods each by itself."""
    found: list[Listener] = []
    known = {operation.name or "" for resource in resources for operation in resource.operations}
    for entry in draft.declared.of(ListenerEntry):
        faults: list[str] = []
        when: object = entry.when
        if isinstance(when, Mapping):
            place = draft.declared.place(entry)
            found.extend(replace(listener, place=place) for listener in _listeners(entry, faults))
            faults.extend(condition_faults(entry.when, known))
        else:
            faults.append(f"when={when!r}, expected conditions by attribute, like {{'method': 'POST|PUT'}}")
        faults.extend(plugin_name_fault(entry.plugin))
        draft.faults.extend(f"listener {name_of(entry.target)}: {fault}" for fault in faults)
    draft.keep(Listener, found)


def check_request_steps(draft: Draft, resources: Iterable[DeclaredResource]) -> None:
    """Check that steps of requests ask for attributes that requests have; their other faults are told elsewhere."""
    known = {operation.name or "" for resource in resources for operation in resource.operations}
    for entry in draft.declared.of(StepEntry):
        if entry.action in ACTIONS and isinstance(entry.when, Mapping):
            when = {str(name).removesuffix("_"): text for name, text in entry.when.items()}
            for fault in condition_faults(when, known):
                told = f"{named_step(entry)}: {fault}"
                draft.faults.extend([] if told in draft.faults else [told])


def condition_faults(when: Mapping[str, object], operations: Iterable[str]) -> Iterable[str]:
    """Say what conditions of a request's listener can never hold, or cannot be read."""
    known = {"action": ACTIONS, "method": _METHODS, "operation": tuple(operations)}
    for attribute, text in when.items():
        meant = difflib.get_close_matches(str(attribute), FACTS, n=1, cutoff=0.8)
        if attribute not in FACTS and meant:
            yield f"when={{{attribute!r}: ...}}: nothing provides {attribute!r}; did you mean {meant[0]!r}?"
            continue
        try:
            condition = parse(attribute, text)
        except ConfigurationError as error:
            yield from error.faults
            continue
        values = known.get(attribute)
        for term, _ in condition.terms:
            if values is not None and term not in values:
                yield f"when={{{attribute!r}: {text!r}}}: {attribute} is never {term!r}{hint(term, values)}"


def _listeners(entry: ListenerEntry, faults: list[str]) -> Iterator[Listener]:
    target = entry.target
    if isinstance(target, type):
        yield from _methods(entry, target, faults)
        return
    if entry.place is None:
        faults.append(
            f"stands nowhere; expected @app.listener(Hook.POST_WRITE), or an event: {', '.join(EVENTS)}"
        )
        return
    fault = _function_fault(target)
    if fault is not None:
        faults.append(fault)
    place = _place(entry.place, entry.priority, faults)
    if place is not None:
        yield Listener(
            name=name_of(target),
            event=place[0],
            priority=place[1],
            function=target,
            when=entry.when,
            plugin=entry.plugin,
        )


def _methods(entry: ListenerEntry, cls: type[Any], faults: list[str]) -> Iterator[Listener]:
    if entry.place is not None or entry.priority is not None:
        faults.append(
            "a class says in subscribed_events where its methods stand; leave hook and priority out"
        )
    subscribed = getattr(cls, "subscribed_events", None)
    if subscribed is None:
        faults.append(
            "has no subscribed_events; expected methods by hook or event: {Hook.POST_WRITE: 'send_mail'}"
        )
        return
    try:
        cls_parameters = [
            p
            for p in inspect.signature(cls).parameters.values()
            if p.default is p.empty and p.kind not in {p.VAR_POSITIONAL, p.VAR_KEYWORD}
        ]
    except (TypeError, ValueError):
        cls_parameters = []
    if cls_parameters:
        faults.append("its constructor takes parameters without defaults; it is made without arguments")
    pairs = subscribed.items() if isinstance(subscribed, Mapping) else subscribed
    try:
        pairs = [(place, methods) for place, methods in pairs]
    except (TypeError, ValueError):
        faults.append(
            f"subscribed_events={subscribed!r}, expected a mapping, or pairs of a hook or event and methods"
        )
        return
    for place, methods in pairs:
        for method, priority in _named_methods(methods, faults):
            call = getattr(cls, method, None)
            fault = f"has no method {method!r}" if not callable(call) else generator_fault(call)
            if fault is not None:
                faults.append(f"subscribed_events: {fault}")
            found = _place(place, priority, faults)
            if found is not None:
                yield Listener(
                    name=f"{name_of(cls)}.{method}",
                    event=found[0],
                    priority=found[1],
                    cls=cls,
                    method=method,
                    when=entry.when,
                    plugin=entry.plugin,
                )


def _named_methods(given: Any, faults: list[str]) -> Iterator[tuple[str, int | None]]:
    """A method's name, a name with its priority, or a list of these."""
    several = given if isinstance(given, list) else [given]
    for one in several:
        match one:
            case str():
                yield one, None
            case (str() as name, priority):
                yield name, priority
            case [str() as name]:
                yield name, None
            case _:
                faults.append(
                    f"subscribed_events: {one!r}, expected a method's name, or ('name', priority), or a list of these"
                )


def _place(place: Any, priority: Any, faults: list[str]) -> tuple[Event, int] | None:
    if isinstance(place, Hook):
        if priority is not None:
            faults.append(
                f"priority={priority!r} has no effect at {place}, which has its own ({place.priority}); "
                f"name the event to choose one: {place.event!r}"
            )
        return place.event, place.priority
    if place not in EVENTS:
        faults.append(f"{place!r} {_meant(str(place))}")
        return None
    if priority is not None and not is_number(priority, int):
        faults.append(f"priority={priority!r}, expected a whole number")
        return None
    if abs(priority or 0) > PRIORITY_LIMIT:
        faults.append(f"priority={priority}, expected -{PRIORITY_LIMIT} to {PRIORITY_LIMIT}")
        return None
    return place, priority or 0


def _meant(place: str) -> str:
    """Say what is wrong with a place that is no event and no hook; the name of a hook, written as text, is none."""
    meant = near(place, (*EVENTS, *Hook.__members__))
    if meant in Hook.__members__:
        return f"is {'text' if meant == place else 'no hook and no event'}; did you mean Hook.{meant}?"
    return f"is no hook and no event{hint(place, (*EVENTS, *Hook.__members__))}"


def _function_fault(call: Any) -> str | None:
    expected = "expected a function of the event"
    if not callable(call):
        return f"{call!r} is no function; {expected}"
    if (fault := generator_fault(call)) is not None:
        return fault
    try:
        inspect.signature(call).bind(None)
    except TypeError:
        return f"does not take one argument; {expected}"
    except ValueError:
        function_of(call)
    return None
