"""What becomes of one process that HUP has stopped: it is started anew, with new code and configuration."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from collections.abc import Callable, Mapping, Sequence

from worker.runtime.process.beginning import Beginning
from worker.runtime.process.supervisor import CHILD_MARK, command_line


def renew(
    arguments: Sequence[str],
    beginning: Beginning,
    *,
    terminal: Callable[[], bool] = lambda: os.isatty(0),
    replace: Callable[[str, list[str], Mapping[str, str]], object] = os.execve,
    block: Callable[[int, set[signal.Signals]], object] = signal.pthread_sigmask,
) -> int:
    """Put a fresh process in this one's place, under the same process id, as it began; or return exit code 0.

    A supervisor starts its processes by itself, and on a terminal HUP says that the terminal is gone: both want
    this process to end. Another HUP waits until the fresh process takes signals, which starts it anew once more:
    it may have come after the configuration was read.
    """
    if CHILD_MARK in beginning.environment or terminal():
        return 0
    command = command_line(arguments)
    with contextlib.suppress(OSError):  # the other end is closed
        sys.stdout.flush()
        sys.stderr.flush()
    block(signal.SIG_BLOCK, {signal.SIGHUP})  # the fresh process inherits that
    beginning.go_back()
    replace(command[0], command, beginning.environment)
    return 0
