"""What a declared callable is, behind partials, static methods and decorators."""

from __future__ import annotations

import functools
import inspect
from typing import Any


def name_of(target: Any) -> str:
    """Name a function, class or other callable by its module and qualified name."""
    named = target if hasattr(target, "__qualname__") else type(target)
    return f"{named.__module__}.{named.__qualname__}"


def function_of(call: Any) -> Any:
    """The function behind a partial, a static method or a callable object: what has annotations and is async or not."""
    while isinstance(call, functools.partial | staticmethod):
        call = call.func if isinstance(call, functools.partial) else call.__func__
    return call if inspect.isroutine(call) else type(call).__call__


def generator_fault(call: Any) -> str | None:
    """Say that a call only makes a generator, be it behind decorators that tell what they wrap; None where it does not."""
    seen: set[int] = set()
    behind = ""
    while call is not None and id(call) not in seen:
        seen.add(id(call))
        function = function_of(call)
        if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
            return f"is a generator{behind}, whose body would never run; expected a function without yield"
        while isinstance(call, functools.partial):
            call = call.func
        call = getattr(call, "__wrapped__", None) or getattr(function, "__wrapped__", None)
        behind = " behind its decorator"
    return None
