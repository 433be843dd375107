"""A server in a container, where a Docker engine answers; handled like a process."""

from __future__ import annotations

import shutil
import subprocess
import uuid
from collections.abc import Mapping, Sequence

from tests.brokers import ports
from tests.brokers.place import Place
from tests.brokers.unavailable import Unavailable


def answers() -> bool:
    """Whether an engine is there for this user."""
    if shutil.which("docker") is None:
        return False
    try:
        done = subprocess.run(
            ["docker", "version", "--format", "{{.Server.Version}}"], capture_output=True, timeout=10
        )
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0


def pull(image: str) -> None:
    """Have the image here.

    Raises:
        Unavailable: when it cannot be had.
    """
    if subprocess.run(["docker", "image", "inspect", image], capture_output=True).returncode == 0:
        return
    done = subprocess.run(["docker", "pull", "-q", image], capture_output=True, text=True, timeout=900)
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no output"])[-1]
        raise Unavailable(f"`docker pull {image}` failed: {last}")


class Container:
    """Started, killed and started again, its ports always the same ones on the loopback address.

    Args:
        published: host port → port in the container; the first one is waited for.
    """

    def __init__(
        self,
        place: Place,
        image: str,
        *,
        published: Mapping[int, int],
        environment: Mapping[str, str],
        arguments: Sequence[str] = (),
    ) -> None:
        self.name = f"worker-brokers-{uuid.uuid4().hex[:12]}"
        self.port = next(iter(published))
        self._place = place
        self._made = False
        self._create = [
            "create", "--name", self.name,
            *(word for host, inner in published.items() for word in ("-p", f"{ports.HOST}:{host}:{inner}")),
            *(word for key, value in environment.items() for word in ("-e", f"{key}={value}")),
            image, *arguments,
        ]  # fmt: skip

    @property
    def running(self) -> bool:
        shown = self._docker("inspect", "-f", "{{.State.Running}}", self.name)
        return shown.stdout.strip() == "true"

    def start(self) -> None:
        """Start it; it may take a while until it answers."""
        ports.until_closed(self.port)
        if not self._made:
            self._place.record_container(self.name)
            self._must(*self._create)
            self._made = True
        self._must("start", self.name)

    def stop(self, timeout: float = 30.0) -> None:
        """Stop in order."""
        self._must("stop", "-t", str(int(timeout)), self.name)

    def kill(self) -> None:
        """``kill -9`` of what runs in it."""
        self._must("kill", "-s", "KILL", self.name)

    def remove(self) -> None:
        """Take it away with its data."""
        self._docker("rm", "-f", "-v", self.name)
        self._place.forget(f"container-{self.name}")

    def run(self, *command: str) -> str:
        """Run a command in it; return what it printed."""
        return self._must("exec", self.name, *command)

    def describe(self) -> str:
        """The end of its log, for an error."""
        shown = self._docker("logs", "--tail", "20", self.name)
        return f"container {self.name}: {shown.stdout}{shown.stderr}"

    def abandon(self) -> None:
        """Leave it running for the other processes of this run: the run's owner ends it."""

    def _must(self, *arguments: str) -> str:
        done = self._docker(*arguments)
        if done.returncode:
            raise Unavailable(f"`docker {arguments[0]}` failed: {done.stderr.strip()}")
        return done.stdout

    def _docker(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(["docker", *arguments], capture_output=True, text=True, timeout=120)
