"""Surroundings: limits of the process that a handler has lowered for all are set back."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import Iterator

import structlog

try:
    import resource
except ImportError:  # there is none on Windows
    _RESOURCES: tuple[str, ...] = ()
else:
    _RESOURCES = tuple(
        name
        for name in (
            "RLIMIT_NOFILE",
            "RLIMIT_FSIZE",
            "RLIMIT_AS",
            "RLIMIT_DATA",
            "RLIMIT_NPROC",
            "RLIMIT_CPU",
        )
        if hasattr(resource, name)
    )

LOOK = 0.25
"""Seconds between looks."""

log = structlog.stdlib.get_logger("worker.surroundings")


@contextlib.contextmanager
def surroundings_kept(look: float = LOOK) -> Iterator[None]:
    """Set back, every ``look`` seconds, limits that are lower than at the start; what was raised stays.

    A recursion limit of 50, or of 5 open files, is one for all that runs in the process: each message after it would
    fail. Set lower limits where the application is imported, or from outside.
    """
    surroundings, loop = Surroundings(), asyncio.get_running_loop()
    timer: asyncio.TimerHandle

    def again() -> None:
        nonlocal timer
        timer = loop.call_later(look, again)
        surroundings.restore()

    timer = loop.call_later(look, again)
    try:
        yield
    finally:
        timer.cancel()
        surroundings.restore()


class Surroundings:
    """The limits as they are when this is made."""

    def __init__(self) -> None:
        self._recursion = sys.getrecursionlimit()
        self._limits = {name: _soft(name) for name in _RESOURCES}

    def restore(self) -> list[str]:
        """Set back what is lower; name it."""
        lowered: list[str] = []
        if sys.getrecursionlimit() < self._recursion:
            sys.setrecursionlimit(self._recursion)
            lowered.append("recursion limit")
        for name, limit in self._limits.items():
            if _lower(_soft(name), limit) and _raised(name, limit):
                lowered.append(name)
        if lowered:
            log.warning("a handler has lowered limits for the whole process; set back", limits=lowered)
        return lowered


def _soft(name: str) -> int:
    return resource.getrlimit(getattr(resource, name))[0]


def _lower(limit: int, than: int) -> bool:
    unlimited = resource.RLIM_INFINITY
    return limit != unlimited and (than == unlimited or limit < than)


def _raised(name: str, limit: int) -> bool:
    which = getattr(resource, name)
    with contextlib.suppress(ValueError, OSError):  # its hard limit was lowered, too: for good
        resource.setrlimit(which, (limit, resource.getrlimit(which)[1]))
        return True
    return False
