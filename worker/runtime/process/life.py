"""Life: which process this is, and whether another one of the same machine still runs."""

from __future__ import annotations

import os
import socket
from pathlib import Path

from worker.messaging.suspicion import Holder


def myself(name: str) -> Holder:
    """Describe this process."""
    pid = os.getpid()
    return Holder(name, _place(), pid, _born(pid) or 0)


def lives(holder: Holder) -> bool | None:
    """Whether a process still runs; None where it is of another place."""
    if holder.place != _place():
        return None
    born = _born(holder.pid)
    if born is not None:
        return born == holder.born
    if holder.born:  # the system tells of those that are there
        return False
    try:
        os.kill(holder.pid, 0)
    except ProcessLookupError:
        return False
    except OSError:  # it is another user's
        return True
    return True


def _place() -> str:
    """The machine, since it started, and the space of process ids: containers of one machine have each their own."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        space = str(Path("/proc/self/ns/pid").readlink())
    except OSError:
        boot = space = ""
    return f"{socket.gethostname()} {boot} {space}"


def _born(pid: int) -> int | None:
    """When a process was started, in ticks since the machine was; None where there is none, or the system does not tell."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
        state, *rest = text.rpartition(")")[2].split()  # its name may hold anything
        return None if state in "ZX" else int(rest[18])
    except (OSError, ValueError, IndexError):
        return None
