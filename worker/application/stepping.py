"""Steps at start: what is wrong with those that are declared, and what they come to."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from worker.chain.chain import PRIORITY_LIMIT, Step
from worker.chain.conditions import Condition, naming, parse
from worker.chain.declared import DeclaredAction, DeclaredStep, StepEntry
from worker.chain.lazy import LazyStep, as_call
from worker.errors import ConfigurationError
from worker.messaging.declaring.functions import generator_fault, name_of
from worker.messaging.declaring.steps import named_step
from worker.seconds import is_number
from worker.suggestion import hint, near
from worker.texts import told

Lazy = dict[object, LazyStep[Any]]
"""Lazy steps by name, or by the identity of what they are made of: entries of one class, or of one name, share its object."""

_PROCESS = "process"


def checked_step(
    entry: StepEntry, place: int, actions: Mapping[str, DeclaredAction], lazy: Lazy, faults: list[str]
) -> DeclaredStep | None:
    """Make a step of an entry; None where something is wrong, which joins ``faults``."""
    name = entry.name or name_of(entry.target)
    found = [*_place_faults(entry, actions)]
    when = [*_conditions(entry, found)]
    fault = _target_fault(entry.target)
    if fault is not None:
        found.append(fault)
    if found:
        faults.extend(f"{named_step(entry)}: {fault}" for fault in found)
        return None
    if entry.plugin is not None:
        when.append(naming("plugins", entry.plugin))
    target = entry.target
    run = lazy.setdefault(entry.name or id(target), LazyStep(_maker(target)))
    step = Step(
        name, run, entry.priority, entry.group, tuple(when), common=entry.action is None, plugin=entry.plugin
    )
    return DeclaredStep(step=step, action=entry.action, entry=entry, place=place)


def _place_faults(entry: StepEntry, actions: Mapping[str, DeclaredAction]) -> Iterable[str]:
    action, group = entry.action, entry.group
    if action is not None and not isinstance(action, str):
        yield f"action={action!r}, expected an action's name"
    elif action is not None and action not in actions:
        declare = "; declare it with app.action(...)" if near(action, actions) is None else ""
        yield f"there is no action of this name{hint(action, actions)}{declare}"
    elif group is not None and action is None:
        yield f"group={group!r} without an action, and groups are an action's own; expected action= beside it"
    elif group is not None and action is not None and group not in [*actions[action].groups]:
        known = hint(str(group), actions[action].groups) or "; the action has no groups"
        yield f"group={group!r} is not declared for the action{known}"
    if not is_number(entry.priority, int):
        yield f"priority={entry.priority!r}, expected a whole number"
    elif group is not None and abs(entry.priority) > PRIORITY_LIMIT:
        yield f"priority={entry.priority} in a group, expected -{PRIORITY_LIMIT} to {PRIORITY_LIMIT}"


def _conditions(entry: StepEntry, faults: list[str]) -> Iterable[Condition]:
    if not isinstance(entry.when, Mapping):
        faults.append(f"when={entry.when!r}, expected conditions by attribute, like {{'format': 'json|csv'}}")
        return
    for attribute, text in entry.when.items():
        if not isinstance(attribute, str) or not attribute:
            faults.append(f"when={{{attribute!r}: ...}}, expected an attribute's name")
            continue
        name = attribute.removesuffix("_") or attribute
        if name in {"group", "priority"}:
            faults.append(
                f"when={{{attribute!r}: ...}}: that is no attribute of a context; expected {name}= beside when="
            )
            continue
        try:
            condition = parse(name, text)
        except ConfigurationError as error:
            faults.extend(error.faults)
            continue
        never = entry.action is not None and condition.verdict({"action": entry.action}) is False
        if name == "action" and never:
            faults.append(
                f"action={entry.action!r} and when={{{attribute!r}: {text!r}}}: both can never hold"
            )
        yield condition


def _target_fault(target: Any) -> str | None:
    """Say why something cannot be a step."""
    expected = "expected a class with process(self, context), or a function of the context"
    if isinstance(target, type):
        call = inspect.getattr_static(target, _PROCESS, None)
        bound = isinstance(call, staticmethod | classmethod)
        fault = _made_fault(target)
        if not callable(getattr(target, _PROCESS, None)):
            return f"the class has no method process; {expected}"
        if fault is not None:
            return fault
        return _call_fault(getattr(target, _PROCESS), 1 if bound else 2)
    call = target if callable(target) else getattr(target, _PROCESS, None)
    return f"{target!r} cannot be called; {expected}" if not callable(call) else _call_fault(call, 1)


def _made_fault(cls: type[Any]) -> str | None:
    """Say why a class cannot be made without arguments."""
    if inspect.isabstract(cls):
        return f"the class is abstract: {', '.join(sorted(cls.__abstractmethods__))}; expected one that can be made"
    try:
        inspect.signature(cls).bind()
    except TypeError as error:
        return f"its constructor cannot be called without arguments: {error}; give its parameters defaults"
    except ValueError:  # a class whose constructor says nothing of itself
        return None
    return None


def _call_fault(call: Callable[..., Any], number: int) -> str | None:
    """Say why a call cannot be made with that many arguments, or would run nothing."""
    generator = generator_fault(call)
    if generator is not None:
        return generator
    try:
        inspect.signature(call).bind(*range(number))
    except (TypeError, ValueError) as error:
        return f"cannot be called with the context alone: {told(error)}"
    return None


def _maker(target: Any) -> Callable[[], Any]:
    def make() -> Any:
        made = target() if isinstance(target, type) else target
        return as_call(
            getattr(made, _PROCESS, made) if isinstance(target, type) or not callable(made) else made
        )

    return make
