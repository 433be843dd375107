"""Results that would have to be run and are not: a coroutine, a generator, an awaitable of a handler that has ended."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Coroutine, Generator
from typing import Any

from worker.errors import UsageError


def refuse_unrun(handler: str, result: object) -> None:
    """Refuse a handler's result that would have to be run to mean anything.

    Raises:
        UsageError: it is a coroutine, a generator, an asynchronous one or another awaitable.
    """
    if isinstance(result, Coroutine):
        what, instead = "a coroutine", "await it"
    elif isinstance(result, AsyncGenerator):
        what, instead = "an asynchronous generator", "iterate over it in the handler"
    elif isinstance(result, Generator):
        what, instead = "a generator", "iterate over it in the handler, or return a list"
    elif isinstance(result, Awaitable):
        what, instead = f"an awaitable ({type(result).__name__})", "await it"
    else:
        return
    name = getattr(result, "__qualname__", None)
    _close(result)
    raise UsageError(
        f"{handler} returned {what}{f' of {name}' if name else ''}, which is never run: {instead}"
    )


def _close(result: Any) -> None:
    """Let Python not complain about what was never awaited; an asynchronous generator has not begun."""
    if isinstance(result, Coroutine | Generator):
        result.close()
