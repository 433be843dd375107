"""What becomes of one process that HUP has stopped: it is started anew, with new code and configuration."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, MutableMapping, Sequence

from worker.runtime.parent import PARENT_MARK
from worker.runtime.supervisor import CHILD_MARK, command_line


def renew(
    arguments: Sequence[str],
    *,
    followed: bool = False,
    environment: MutableMapping[str, str] = os.environ,
    terminal: Callable[[], bool] = sys.stdin.isatty,
    replace: Callable[[str, list[str]], object] = os.execv,
) -> int:
    """Put a fresh process in this one's place, under the same process id; or return exit code 0.

    A supervisor starts its processes by itself, and on a terminal HUP says that the terminal is gone: both want
    this process to end. ``followed``: it goes on to end with the process that started it.
    """
    if CHILD_MARK in environment or terminal():
        return 0
    command = command_line(arguments)
    if followed:
        environment[PARENT_MARK] = str(os.getppid())
    sys.stdout.flush()
    sys.stderr.flush()
    replace(command[0], command)
    return 0
