"""What a dead process has claimed of a database is handed out before its lease is over, where its death can be seen."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from transports import orphans, registry
from worker.messaging.transport import Ack, Outgoing, QueueSpec, Settled

QUEUE = QueueSpec(name="shop-go", types=("Go",))
HOLDER = """
import asyncio, os, sys
from tests.unit.transports.test_orphans import QUEUE, opened
async def main():
    transport = await opened(sys.argv[1])
    subscription = await transport.subscribe(QUEUE, slots=1)
    got = await subscription.receive(10, 5.0)
    print(len(got), flush=True)
    sys.stdin.read()
    os._exit(9)
asyncio.run(main())
"""


async def opened(url: str):
    """A transport with a long lease."""
    transport = registry.create("queues", url, {"lease": 3600}, base=Path("/"))
    await transport.connect()
    await transport.setup([QUEUE])
    return transport


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.broker)])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database, of each kind in turn."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/queue.db"
    return str(request.getfixturevalue("postgres_url"))


@pytest.mark.skipif(not Path("/proc/self/ns/pid").exists(), reason="the system does not tell of processes")
async def test_a_dead_processs_messages_come_at_once_and_a_living_ones_do_not(url: str, monkeypatch) -> None:
    """Each counts as a death; what the dead one would still say is lost."""
    monkeypatch.setattr(orphans, "EVERY", 0.0)
    transport = await opened(url)
    await transport.publish([Outgoing(queue=QUEUE.name, id=f"m{n}", type="Go", body=b"{}") for n in range(3)])
    root = str(Path(__file__).parents[3])
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, url],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": root},
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdin is not None
        assert holder.stdout.readline() == b"3\n"
        subscription = await transport.subscribe(QUEUE, slots=1)
        assert await subscription.receive(10, 0.1) == []
        holder.stdin.close()
        # it is not asked for its exit code before: a process whose end was not asked for is dead, too
        found = await subscription.receive(10, 10.0)
    assert [(one.id, one.deaths, one.redelivered) for one in found] == [(f"m{n}", 1, True) for n in range(3)]
    assert await subscription.settle([Ack(one) for one in found]) == [Settled.DONE] * 3
    await transport.close()


def test_marks_of_one_process_differ_and_tell_nothing_of_other_places() -> None:
    """A container's process ids mean something there only."""
    marks = orphans.Marks(place=5, pid=7)
    made = {marks.next() for _ in range(1000)}
    assert len(made) == 1000
    assert max(made) < 1 << 62
    assert {mark >> 16 & 0x3FFFFF for mark in made} == {7}
    assert {mark >> 38 for mark in made} == {5}
