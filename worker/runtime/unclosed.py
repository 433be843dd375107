"""A coroutine that what it waits for cannot close."""

from __future__ import annotations

from collections.abc import Coroutine, Generator
from typing import Any

from worker.errors import AbruptEnd


class Unclosed:
    """Stands for a coroutine in its task; it is used as that task's coroutine and nowhere else.

    A future or task that ended with ``GeneratorExit`` closes the coroutines that wait for it, down to the task's own,
    which could then settle nothing any more. Here the error comes as an ``AbruptEnd``, an ``Exception`` like any other.
    Steps of the task that nothing is thrown into go straight to the coroutine.
    """

    __slots__ = ("_inner", "close", "send")

    def __init__(self, inner: Coroutine[Any, Any, None]) -> None:
        self._inner = inner
        self.send = inner.send
        self.close = inner.close

    def throw(self, error: BaseException) -> Any:
        """Let the coroutine go on with an error where it waits."""
        return self._inner.throw(AbruptEnd(error) if isinstance(error, GeneratorExit) else error)

    def __getattr__(self, name: str) -> Any:
        """Show who looks at tasks where the coroutine stands."""
        return getattr(self._inner, name)

    def __await__(self) -> Generator[Any, Any, None]:
        return self._inner.__await__()
