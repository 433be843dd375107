"""Readiness: a supervised process says once that it works, over a pipe whose other end its supervisor holds."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Mapping, MutableMapping

READY_MARK = "WORKER_READY_FD"
"""Number of the descriptor on which a process is to say that it works."""


def tell_ready(environment: MutableMapping[str, str] = os.environ) -> None:
    """Say that this process works now; does nothing where nobody asked, or it has been said."""
    number = environment.pop(READY_MARK, None)
    if number is not None:
        with contextlib.suppress(OSError, ValueError):  # nobody listens any more
            os.write(int(number), b"+")
            os.close(int(number))


class Readiness:
    """The supervisor's end, for one process that it starts.

    Attributes:
        given: descriptor that the process inherits.
    """

    def __init__(self) -> None:
        self._heard, self.given = os.pipe()
        self._said = False
        os.set_blocking(self._heard, False)

    def environment(self) -> Mapping[str, str]:
        """What the process is to be told."""
        return {READY_MARK: str(self.given)}

    def hand_over(self) -> None:
        """Leave the other end to the process, which has been started."""
        os.close(self.given)

    def said(self) -> bool:
        """Whether it has said so."""
        if not self._said:
            with contextlib.suppress(BlockingIOError):
                self._said = bool(os.read(self._heard, 1))
        return self._said

    def close(self) -> None:
        """Listen no more."""
        os.close(self._heard)
