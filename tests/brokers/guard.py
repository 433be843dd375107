"""Ends a run's servers when the run itself is killed: ``python -m tests.brokers.guard PID FOLDER``.

It waits until the process that owns the run is gone, or until that has cleaned up by itself.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from tests.brokers.place import Place, born

ROOT = Path(__file__).parents[2]


def start(owner: int, place: Place) -> None:
    """Start the guard of a run, once; out of reach of the signals that a terminal sends to the run."""
    mark = place.folder / "guarded"
    if mark.exists():
        return
    subprocess.Popen(
        [sys.executable, "-m", "tests.brokers.guard", str(owner), str(place.folder)],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    ).returncode = 0  # it is not waited for: it leaves after the run
    mark.touch()


def main(owner: int, folder: Path) -> None:
    """Wait for the end of the owner, then end what it left."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    life = born(owner)
    while folder.exists() and life is not None and born(owner) == life:
        time.sleep(0.25)
    if folder.exists():
        Place(folder).sweep()


if __name__ == "__main__":
    os.umask(0o022)
    main(int(sys.argv[1]), Path(sys.argv[2]))
