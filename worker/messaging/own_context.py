"""A context of its own for a call: what it sets in context variables stays in the call."""

from __future__ import annotations

from collections.abc import Awaitable, Coroutine, Generator
from contextvars import copy_context
from typing import Any, Generic, TypeVar, cast

T = TypeVar("T")


class OwnContext(Generic[T]):
    """Await it to run a coroutine in a copy of the current context, in the current task.

    As a task of its own would, but without one: cancelling, timeouts and ``current_task`` stay as they are.

    Args:
        coroutine: not begun; what an ``async def`` function returns.
    """

    __slots__ = ("_coroutine", "_run")

    def __init__(self, coroutine: Awaitable[T]) -> None:
        self._coroutine = cast("Coroutine[Any, Any, T]", coroutine)
        self._run = copy_context().run

    def __await__(self) -> Generator[Any, Any, T]:
        return self

    def __iter__(self) -> OwnContext[T]:
        return self

    def __next__(self) -> Any:
        return self._run(self._coroutine.send, None)

    def send(self, value: Any) -> Any:
        """Take a step."""
        return self._run(self._coroutine.send, value)

    def throw(self, *error: Any) -> Any:
        """Take a step with an error."""
        return self._run(self._coroutine.throw, *error)

    def close(self) -> None:
        """End it."""
        self._run(self._coroutine.close)
