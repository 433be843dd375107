"""Checks of processors and providers: what they are, how they are made, and what their options can do."""

from __future__ import annotations

import inspect
from collections.abc import Iterable
from typing import Any

from worker.messaging.declaring.draft import Draft
from worker.messaging.declaring.functions import generator_fault, name_of
from worker.resources.declared import ProcessorEntry, ProviderEntry
from worker.resources.making import constructor_faults
from worker.seconds import is_number


def check_processors(draft: Draft) -> None:
    """Check the declared processors and providers."""
    for kind, method, word in (
        (ProcessorEntry, "process", "processor"),
        (ProviderEntry, "provide", "provider"),
    ):
        names: dict[str, Any] = {}
        entries: list[Any] = draft.declared.of(kind)
        for entry in entries:
            where = f"{word} {entry.name!r} ({name_of(entry.cls)})"
            draft.faults.extend(f"{where}: {fault}" for fault in class_faults(entry.cls, method))
            draft.faults.extend(f"{where}: {fault}" for fault in _option_faults(entry))
            if names.setdefault(entry.name, entry) is not entry:
                draft.faults.append(f"{where}: the name is declared twice; give one of them a name=")
        draft.keep(kind, entries)


def class_faults(cls: Any, method: str) -> Iterable[str]:
    """Say why a class is no processor, or no provider."""
    arguments = {
        "process": "data, operation, uri_variables, context",
        "provide": "operation, uri_variables, context",
    }
    expected = f"expected a class with {method}(self, {arguments[method]})"
    if not isinstance(cls, type):
        yield f"{cls!r} is no class; {expected}"
        return
    call = getattr(cls, method, None)
    if not callable(call):
        yield f"has no {method}; {expected}"
        return
    if (fault := generator_fault(call)) is not None:
        yield f"its {method} {fault}"
    count = arguments[method].count(",") + 1
    try:
        inspect.signature(call).bind(*[None] * (count + (not _is_bound(cls, method))))
    except TypeError:
        yield f"its {method} does not take what it is given; {expected}"
    except ValueError:
        pass  # its parameters cannot be read
    yield from constructor_faults(cls)


def _is_bound(cls: type[Any], method: str) -> bool:
    return isinstance(inspect.getattr_static(cls, method), staticmethod | classmethod)


def _option_faults(entry: Any) -> Iterable[str]:
    name: Any = entry.name
    if not isinstance(name, str) or not name:
        yield f"name={name!r}, expected a text"
    if entry.supports is not None and not callable(entry.supports):
        yield f"supports={entry.supports!r}, expected a function"
    elif isinstance(entry, ProviderEntry) and inspect.iscoroutinefunction(entry.supports):
        yield f"supports={entry.supports!r} is asked once, at the start; expected a plain function"
    if not is_number(entry.priority, int):
        yield f"priority={entry.priority!r}, expected a whole number"
    elif entry.priority and entry.supports is None:
        yield f"priority={entry.priority} has no effect without supports=: it is called where it is named"
    resumable = getattr(entry, "resumable", False)
    if not isinstance(resumable, bool):
        yield f"resumable={resumable!r}, expected True or False"
    elif resumable and entry.supports is None:
        yield "resumable=True has no effect without supports=: it is called where it is named"
