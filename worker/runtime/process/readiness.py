"""Readiness: a supervised process says that it works, and that it ends by itself, over a pipe to its supervisor."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Mapping, MutableMapping

READY_MARK = "WORKER_READY_FD"
"""The descriptor on which a process is to say so, and the number of the pipe behind it, to be known again."""

_WORKS, _ENDS = b"+", b"."


def tell_ready(environment: MutableMapping[str, str] = os.environ) -> None:
    """Say that this process works now; does nothing where no supervisor asked. To say it again changes nothing."""
    _say(environment.get(READY_MARK), _WORKS)


def tell_end(environment: MutableMapping[str, str] = os.environ) -> None:
    """Say that this process ends by itself: its exit code means what it says, and is not that of a handler."""
    _say(environment.pop(READY_MARK, None), _ENDS)


def _say(mark: str | None, word: bytes) -> None:
    with contextlib.suppress(OSError, ValueError):  # no supervisor asked, or it is gone
        number, pipe = map(int, (mark or "").split(":"))
        if os.fstat(number).st_ino == pipe:  # a handler may have closed it, and another file have its number
            os.set_inheritable(number, False)
            os.write(number, word)


class Readiness:
    """The supervisor's end, for one process that it starts.

    Attributes:
        given: descriptor that the process inherits.
    """

    def __init__(self) -> None:
        self._heard, self.given = os.pipe()
        self._words = b""
        os.set_blocking(self._heard, False)

    def environment(self) -> Mapping[str, str]:
        """What the process is to be told."""
        return {READY_MARK: f"{self.given}:{os.fstat(self.given).st_ino}"}

    def hand_over(self) -> None:
        """Leave the other end to the process, which has been started."""
        os.close(self.given)

    def said(self) -> bool:
        """Whether it has said that it works."""
        return _WORKS in self._listened()

    def ended(self) -> bool:
        """Whether it has said that it ends by itself."""
        return _ENDS in self._listened()

    def close(self) -> None:
        """Listen no more."""
        os.close(self._heard)

    def _listened(self) -> bytes:
        with contextlib.suppress(BlockingIOError):
            self._words += os.read(self._heard, 16)
        return self._words
