"""A dependency that comes back after a long pause, behind a backlog, with real workers."""

from __future__ import annotations

import socketserver
import threading
import time
from collections import deque
from collections.abc import Iterator
from typing import ClassVar

import pytest

from tests.e2e.project import Project
from tests.e2e.waiting import until

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.timeout(240)]

LIMIT = 100
BACKLOG = 900

SOURCE = """
import asyncio, os
import msgspec
from worker import App, Retry

app = App("calls")


@app.command(retry=Retry(max_retries=50, delay=0.5, multiplier=1.0), track=False)
class Call(msgspec.Struct, frozen=True):
    number: int


@app.handler
async def call(command: Call) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", int(os.environ["CALLED_PORT"]))
    try:
        if await reader.readexactly(1) != b"y":
            raise RuntimeError("too many")
    finally:
        writer.close()
"""


class Dependency(socketserver.ThreadingTCPServer):
    """Answers ``y``, and ``n`` to what comes above the limit within a second."""

    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 200

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.lock = threading.Lock()
        self.recent: deque[float] = deque()
        self.calls = 0
        self.refused = 0

    def take(self) -> bytes:
        with self.lock:
            now = time.monotonic()
            self.recent.append(now)
            while self.recent[0] <= now - 1.0:
                self.recent.popleft()
            self.calls += 1
            well = len(self.recent) <= LIMIT
            self.refused += not well
            return b"y" if well else b"n"


class Answer(socketserver.BaseRequestHandler):
    server: ClassVar[Dependency]  # type: ignore[misc,assignment]

    def handle(self) -> None:
        self.request.sendall(self.server.take())


@pytest.fixture
def dependency() -> Iterator[Dependency]:
    with Dependency() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def test_a_backlog_does_not_flatten_what_comes_back(project: Project, dependency: Dependency) -> None:
    """Two workers, a limit they do not know, a backlog that would exceed it many times: it refuses next to nothing."""
    (project.folder / "calls.py").write_text(SOURCE)
    project.configure(app="calls:app", transport="lease = 10", more="[ramp]\nafter = 0.5\nrate = 20")
    extra = {"CALLED_PORT": str(dependency.server_address[1])}
    project.ok("pause")
    project.send_many(*(("Call", {"number": number}) for number in range(BACKLOG)))
    for _ in range(2):
        project.consume("-c", "8", extra=extra)
    assert dependency.calls == 0
    project.ok("resume", "--wait")
    until(lambda: project.waiting() == 0, "the backlog is worked off", 120, 0.2)
    assert dependency.calls - dependency.refused == BACKLOG
    assert dependency.refused <= BACKLOG // 5
