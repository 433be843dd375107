"""What application code raises: a failure of its message, whatever it is, or a word to the task that runs it."""

from __future__ import annotations

import asyncio

from worker.errors import (
    AbruptEnd,
    Paused,
    Recoverable,
    StepFailed,
    Unavailable,
    Unrecoverable,
    UsageError,
)


def is_failure(error: BaseException) -> bool:
    """Whether an error is a failure of the message; False where the running task itself is cancelled, closed or held.

    ``SystemExit``, ``KeyboardInterrupt`` and the like come from code here, never from a signal: signals are heard
    by the loop.
    """
    if isinstance(error, Exception):
        return True
    if isinstance(error, Paused):
        return False
    if isinstance(error, asyncio.CancelledError | GeneratorExit):
        task = _task()
        return task is not None and not task.cancelling()
    return True


def as_exception(error: BaseException) -> Exception:
    """Give an error in a shape that ends nothing but the call it came from."""
    return error if isinstance(error, Exception) else AbruptEnd(error)


def behind(error: BaseException) -> BaseException:
    """Give what code really raised."""
    return error.raised if isinstance(error, AbruptEnd) else error


def innermost(error: BaseException) -> BaseException:
    """Give what a step raised, where the error is that a step failed; else the error."""
    while isinstance(error, StepFailed):
        error = error.cause
    return error


def spoken(error: BaseException) -> BaseException:
    """Give what an error says to the worker: a step's word on retries or an outage is that of the handler that ran it."""
    cause = innermost(error)
    return cause if isinstance(cause, Unrecoverable | Recoverable | Unavailable | UsageError) else error


def _task() -> asyncio.Task[object] | None:
    try:
        return asyncio.current_task()
    except RuntimeError:  # no loop runs: the coroutine is being closed
        return None
