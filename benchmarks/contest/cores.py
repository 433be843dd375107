"""Which cores do what: broker and load on the first ones, the program that is measured on the last."""

from __future__ import annotations

import os
import shutil
import sys


def _all() -> list[int]:
    return sorted(os.sched_getaffinity(0)) if sys.platform == "linux" else []


class Cores:
    """The machine's cores, shared out where that can be done: Linux, two cores or more, and ``taskset``."""

    def __init__(self) -> None:
        cores = _all()
        self.measured = cores[-1] if len(cores) > 1 and shutil.which("taskset") else None
        self._others = cores[:-1]

    def leave(self) -> None:
        """Move this process, and with it the broker and the load that it will start, away from what is measured."""
        if self.measured is not None and sys.platform == "linux":
            os.sched_setaffinity(0, self._others)

    def pinned(self, command: list[str]) -> list[str]:
        """Start a command on the core that is kept for what is measured."""
        return command if self.measured is None else ["taskset", "-c", str(self.measured), *command]

    def describe(self, *, broker: bool) -> str:
        """Tell what was pinned; ``broker``: whether it was started here."""
        if self.measured is None:
            return "nothing (no taskset, or one core)"
        others = ",".join(map(str, self._others))
        told = f"what is measured on core {self.measured}, load on core {others}"
        return f"{told}, broker on core {others}" if broker else f"{told}, broker where it was"

    def alone(self) -> str:
        """Tell what was pinned where nothing loads the machine beside the program that is measured."""
        told = "nothing" if self.measured is None else f"what is measured on core {self.measured}"
        return f"{told}, broker on all cores"
