"""The service as ``docker compose up`` starts it, under a name and on a port of its own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import threading
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import httpx

from tests.e2e.processes import ROOT, free_port
from tests.e2e.waiting import until

HOW = "needs Docker with its compose plugin and a running engine: https://docs.docker.com/engine/install/"


def missing() -> bool:
    """Whether no engine answers, or it has no compose plugin."""
    if shutil.which("docker") is None:
        return True
    asked = (("docker", "version"), ("docker", "compose", "version"))
    return any(subprocess.run(command, capture_output=True, timeout=30).returncode for command in asked)


class Stack:
    """One project of Docker Compose.

    Args:
        files: the compose file, and what is laid over it.
        profile: what is started beside what always is.
        settings: variables that the files read.
    """

    def __init__(
        self, files: Sequence[str] = ("docker-compose.yml",), profile: str = "", **settings: str
    ) -> None:
        self._options = [option for file in files for option in ("-f", file)]
        self._options += ["--profile", profile] if profile else []
        self._settings = settings
        self.name = f"worker-test-{uuid.uuid4().hex[:8]}"
        self.port = free_port()
        self.client = httpx.Client(base_url=f"http://127.0.0.1:{self.port}", timeout=40.0)

    def compose(self, *arguments: str, timeout: float = 180.0) -> str:
        """Run ``docker compose`` to its end; it has to succeed."""
        done = subprocess.run(
            ["docker", "compose", *self._options, "-p", self.name, *arguments],
            cwd=ROOT,
            env={**os.environ, "INTAKE_PORT": str(self.port), **self._settings},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout,
        )
        assert done.returncode == 0, f"docker compose {arguments}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def up(self, *arguments: str) -> None:
        """Start what does not run, and wait until all are healthy."""
        self.compose("up", "-d", "--wait", *arguments)
        self.sign_in()

    def sign_in(self) -> None:
        """Show the root token from now on."""
        secret = self.compose("exec", "-T", "intake", "cat", "/var/lib/worker/root-token").strip()
        self.client.headers["Authorization"] = f"Bearer {secret}"

    def until_healthy(self, timeout: float = 120.0) -> None:
        """Wait until every container says that it is healthy; ``up --wait`` gives up at the first that is not yet."""

        def look() -> bool:
            listed = self.compose("ps", "-q").split()
            return {self.inspect(one, "{{.State.Health.Status}}") for one in listed} == {"healthy"}

        until(look, "all containers are healthy", timeout, 1.0)

    def containers(self, service: str) -> list[str]:
        """Ids of a service's containers, stopped ones too."""
        return self.compose("ps", "-a", "-q", service).split()

    def inspect(self, container: str, what: str) -> str:
        """One value of ``docker inspect``."""
        command = ["docker", "inspect", "--format", what, container]
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=30).stdout.strip()

    def close(self) -> None:
        """Leave nothing behind."""
        self.client.close()
        self.compose("down", "--volumes", "--timeout", "5")

    # --- the service -------------------------------------------------------------------------------------------

    def create_indexes(self) -> None:
        """Make the indexes that items are stored in."""
        for index in range(8):
            self.client.post("/commands/CreateIndex", json={"index": f"index-{index}"}).raise_for_status()

    def post(self, number: int) -> httpx.Response:
        """Send a command that stores one item."""
        item = {"id": f"item-{number}", "title": f"Item {number}"}
        return self.client.post(
            "/commands/IndexItems", json={"index": f"index-{number % 8}", "items": [item]}
        )

    def accepted(self, numbers: range) -> dict[int, str]:
        """Send commands that all must be accepted; give their ids by number."""
        found = {}
        for number in numbers:
            answer = self.post(number)
            assert answer.status_code == 202, answer.text
            found[number] = str(answer.json()["id"])
        return found

    @contextmanager
    def posting(self, numbers: range) -> Iterator[dict[int, str]]:
        """Send commands beside what the block does; give the ids of those that were accepted, when it is over.

        For commands that were answered otherwise, or not at all, nothing is promised.
        """
        found: dict[int, str] = {}

        def work() -> None:
            for number in numbers:
                try:
                    answer = self.post(number)
                except httpx.TransportError:
                    continue
                if answer.status_code == 202:
                    found[number] = str(answer.json()["id"])

        thread = threading.Thread(target=work)
        thread.start()
        try:
            yield found
        finally:
            thread.join()

    def until_handled(self, commands: dict[int, str], timeout: float = 120.0) -> None:
        """Wait until each command is done, and what it stores is there, once."""
        left = dict(commands)

        def look() -> bool:
            for number, command in list(left.items()):
                if self.client.get(f"/commands/{command}").json()["status"] != "done":
                    return False
                del left[number]
            return True

        until(look, f"{len(commands)} commands are done", timeout, 0.2)
        stored = self.stored()
        assert {f"item-{number}" for number in commands} <= stored

    def stored(self) -> set[str]:
        """Ids of all items."""
        found = set()
        for index in range(8):
            parameters: dict[str, Any] = {"index": f"index-{index}", "size": 100}
            answer = self.client.get("/queries/Query", params=parameters)
            if answer.status_code == 200:
                assert answer.json()["total"] <= 100
                found |= {item["id"] for item in answer.json()["items"]}
        return found

    def workers(self) -> list[str]:
        """Hosts of the workers that are alive."""
        return [worker["host"] for worker in self.client.get("/consumers").json()["workers"]]

    def in_worker(self, *command: str) -> Any:
        """Run a command in a worker's container; give what it prints as JSON."""
        return json.loads(self.compose("exec", "-T", "worker", *command))
