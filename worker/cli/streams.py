"""The standard streams: there, in UTF-8, and no reason for a program to end."""

from __future__ import annotations

import contextlib
import io
import os
import select
import stat
import sys
from collections.abc import Callable, Sequence
from typing import Any, TextIO

_READ, _WRITTEN = "surrogateescape", "backslashreplace"
"""What becomes of bytes that are no UTF-8, and of text that is none."""

PATIENCE = 1.0
"""Seconds that the log waits for its reader: what stands still here holds up everything."""


def mend_streams() -> None:
    """Open what was closed at the start as ``/dev/null``, and have all three in UTF-8, whatever the locale.

    Call it before anything else opens a file, which would take the number of a stream that is closed. What cannot be
    written to stderr (its reader is gone or does not read, the disk is full) is dropped.
    """
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:
            _open_nothing(number)
    if sys.stdin is None:
        sys.stdin = io.TextIOWrapper(io.BufferedReader(io.FileIO(0, closefd=False)))
    if sys.stdout is None:
        sys.stdout = io.TextIOWrapper(io.BufferedWriter(io.FileIO(1, "w", closefd=False)))
    for stream, errors in ((sys.stdin, _READ), (sys.stdout, _WRITTEN)):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors=errors)
    sys.stderr = forgiving(2, patience=PATIENCE)


def forgive_stdout() -> None:
    """Drop what cannot be written to stdout from now on: what handlers print must not fail them."""
    if sys.stdout is sys.__stdout__ or sys.__stdout__ is None:  # not where a test has put its own
        sys.stdout.flush()
        sys.stdout = forgiving(1)


def forgiving(number: int, *, patience: float | None = None) -> TextIO:
    """Make a text stream to a descriptor that drops what cannot be written there.

    Args:
        number: the descriptor.
        patience: seconds for which a reader that does not read is waited for, once; None for ever.
    """
    raw = io.BufferedWriter(_Forgiving(number, patience))
    lines = number == 2 or raw.isatty() or bool(os.environ.get("PYTHONUNBUFFERED"))
    return _Standing(raw, encoding="utf-8", errors=_WRITTEN, line_buffering=lines)


def in_utf8(
    *,
    encoding: Callable[[], str] = sys.getfilesystemencoding,
    original: Sequence[str] = tuple(sys.orig_argv),
    replace: Callable[[str, list[str]], object] = os.execv,
) -> None:
    """Start this process anew in Python's UTF-8 mode where the locale has another encoding.

    Arguments, names of files and what is read from files are in it then, whatever the locale.
    """
    if encoding().lower().replace("-", "") != "utf8" and sys.executable:
        replace(sys.executable, [original[0], "-X", "utf8", *original[1:]])


class _Standing(io.TextIOWrapper):
    """Stays open when a handler closes it: it is the whole process's."""

    def close(self) -> None:
        """Write what waits."""
        self.flush()


class _Forgiving(io.FileIO):
    def __init__(self, number: int, patience: float | None) -> None:
        super().__init__(number, "w", closefd=False)
        self._patience = patience
        self._stuck = False
        self._poll = None
        if patience is not None and not stat.S_ISREG(os.fstat(number).st_mode):
            self._poll = select.poll()
            self._poll.register(number, select.POLLOUT)

    def write(self, data: Any) -> int:
        with memoryview(data) as whole, whole.cast("B") as view:
            size = len(view)
            with contextlib.suppress(OSError):
                if self._poll is None:
                    return (
                        super().write(view) or size
                    )  # the rest, where a signal came in between, comes again
                for start in range(0, size, select.PIPE_BUF):
                    if not self._takes():
                        break
                    super().write(view[start : start + select.PIPE_BUF])
        return size

    def _takes(self) -> bool:
        """Whether so much can be written at once; a reader that let it wait is not waited for again until it reads."""
        if self._poll is None or self._patience is None:
            return True
        self._stuck = not self._poll.poll(0 if self._stuck else self._patience * 1000)
        return not self._stuck


def _open_nothing(number: int) -> None:
    opened = os.open(os.devnull, os.O_RDWR)
    if opened != number:
        os.dup2(opened, number)
        os.close(opened)
    os.set_inheritable(number, True)  # as a standard stream is
