"""The folder of one test run's servers: their data, what must be ended with the run, and locks between processes.

Imported by the guard, so it needs the standard library only.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
import signal
import stat
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

MEMORY = "/dev/shm"
"""Linux's files in memory."""
_ENOUGH = 4 * 1024**3
"""Bytes that must be free there: a PostgreSQL may keep a gigabyte of its log, and some brokers run at once."""

GRACE = 10.0
"""Seconds that a server gets to stop by itself at the end of a run."""


class Place:
    """The run's folder.

    Each server that was started has a record in it until it is ended. ``sweep`` ends what is recorded; the
    process that made the folder calls it at its end, and the guard when that process died before it could.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._records = folder / "records"

    @classmethod
    def make(cls) -> Place:
        """A new folder, reachable for other users: a database server refuses to run as root."""
        folder = Path(tempfile.mkdtemp(prefix="worker-brokers-", dir=_passable()))
        folder.chmod(0o711)
        place = cls(folder)
        place._records.mkdir()
        return place

    @contextlib.contextmanager
    def locked(self, name: str) -> Iterator[None]:
        """Hold a lock between the processes of this run."""
        with (self.folder / f"{name}.lock").open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def record_group(self, pid: int, stop_signal: int) -> None:
        """Remember a process group that ends with the run, and the signal that stops it in order."""
        self._write(f"group-{pid}", {"pid": pid, "born": born(pid), "signal": int(stop_signal)})

    def record_container(self, name: str) -> None:
        """Remember a container that is removed with the run."""
        self._write(f"container-{name}", {"container": name})

    def forget(self, record: str) -> None:
        """It has ended."""
        (self._records / record).unlink(missing_ok=True)

    def sweep(self) -> None:
        """End everything that is recorded, and remove the folder."""
        found = [json.loads(path.read_text()) for path in self._records.glob("*-*")]
        groups = [one for one in found if "pid" in one and born(one["pid"]) == one["born"]]
        for one in groups:
            end_group(one["pid"], one["signal"])
        for one in found:
            if "container" in one:
                subprocess.run(["docker", "rm", "-f", "-v", one["container"]], capture_output=True)
        end = time.monotonic() + GRACE
        while time.monotonic() < end and any(born(one["pid"]) == one["born"] for one in groups):
            time.sleep(0.05)
        for one in groups:
            if born(one["pid"]) == one["born"]:
                end_group(one["pid"], signal.SIGKILL)
        # whatever a dying server still writes: a second look removes it
        for _ in range(20):
            shutil.rmtree(self.folder, ignore_errors=True)
            if not self.folder.exists():
                return
            time.sleep(0.1)

    def _write(self, name: str, content: dict[str, object]) -> None:
        # the name gets its dash back only when it is complete, so that a sweep never reads half a record
        draft = self._records / name.replace("-", ".", 1)
        draft.write_text(json.dumps(content))
        draft.rename(self._records / name)


def end_group(pid: int, number: int) -> None:
    """Signal a whole process group, and collect its leader where it is our child."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, number)
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)


def born(pid: int) -> str | None:
    """When a process was started, as a value that no later process of the same number has; None: not running."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return _born_elsewhere(pid)
    return None if fields[0] in "ZX" else fields[19]


def _born_elsewhere(pid: int) -> str | None:
    """Where there is no /proc."""
    if Path("/proc/self/stat").exists():
        return None
    listed = subprocess.run(["ps", "-o", "lstart=,stat=", "-p", str(pid)], capture_output=True, text=True)
    text = listed.stdout.strip()
    return (
        None if listed.returncode or not text or text.split()[-1].startswith("Z") else text.rsplit(" ", 1)[0]
    )


def _passable() -> str | None:
    """A folder for temporary files that every user may pass through; None: the system's own choice.

    In memory where there is enough: to make a database of some hundred files on a disk takes ten times the processor
    time and more. What was written survives the end of a server all the same.
    """
    for candidate in (MEMORY, tempfile.gettempdir(), "/tmp", "/var/tmp"):
        path = Path(candidate).resolve()
        try:
            if candidate == MEMORY and shutil.disk_usage(path).free < _ENOUGH:
                continue
            if all(one.stat().st_mode & stat.S_IXOTH for one in (path, *path.parents)) and os.access(
                path, os.W_OK
            ):
                return str(path)
        except OSError:
            continue
    return None
