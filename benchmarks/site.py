"""A site: a folder with a configuration, opened in this process or run as processes of its own."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager, contextmanager
from pathlib import Path

from benchmarks.application import app
from worker.settings import DatabaseSettings, Settings, TransportSettings
from worker.wiring.service import Service, opened

_ROOT = Path(__file__).parents[1]
_TOML = """\
app = "benchmarks.application:app"

[database]
url = "sqlite:///var/worker.db"

[transports.sqlite]
url = "sqlite:///var/queue.db"
"""


class Site:
    """One folder's configuration on the embedded transport, all options at their defaults."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True)
        (folder / "worker.toml").write_text(_TOML)
        self.folder = folder

    def service(self) -> AbstractAsyncContextManager[Service]:
        """Open it in this process."""
        settings = Settings(
            base=self.folder,
            database=DatabaseSettings(url="sqlite:///var/worker.db"),
            transports={"sqlite": TransportSettings(url="sqlite:///var/queue.db")},
        )
        return opened(settings, app.registry())

    @contextmanager
    def process(self, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
        """Run ``worker`` with these arguments in a process of its own, and end it afterwards."""
        with running([sys.executable, "-m", "worker", "-l", "warning", *arguments], self.folder) as process:
            yield process


@contextmanager
def running(command: list[str], folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run a command in a folder, with this repository to import from, and end it afterwards.

    Raises:
        RuntimeError: it ended by itself before its work was done; with what it printed.
    """
    environment = {name: value for name, value in os.environ.items() if not name.startswith("WORKER_")}
    log = folder / "process.log"
    with log.open("wb") as out:
        process = subprocess.Popen(
            command, cwd=folder, env={**environment, "PYTHONPATH": str(_ROOT)}, stdout=out, stderr=out
        )
    try:
        yield process
        if process.poll() is not None:
            raise RuntimeError(f"{' '.join(command)} ended with {process.returncode}: {log.read_text()}")
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(20)


def free_port() -> int:
    """Find a port that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
