"""What becomes of one process that HUP has stopped: it is started anew, with new code and configuration."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, Mapping, Sequence

from worker.runtime.supervisor import CHILD_MARK, command_line


def renew(
    arguments: Sequence[str],
    *,
    environment: Mapping[str, str] = os.environ,
    terminal: Callable[[], bool] = lambda: os.isatty(0),
    replace: Callable[[str, list[str]], object] = os.execv,
) -> int:
    """Put a fresh process in this one's place, under the same process id; or return exit code 0.

    A supervisor starts its processes by itself, and on a terminal HUP says that the terminal is gone: both want
    this process to end.
    """
    if CHILD_MARK in environment or terminal():
        return 0
    command = command_line(arguments)
    with contextlib.suppress(OSError):  # nobody reads any more
        sys.stdout.flush()
        sys.stderr.flush()
    replace(command[0], command)
    return 0
