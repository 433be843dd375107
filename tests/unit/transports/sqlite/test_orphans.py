"""What a dead process has claimed is handed out before its lease is over, where its death can be seen."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from transports.dsn import parse
from transports.sqlite import orphans
from transports.sqlite.orphans import Marks
from transports.sqlite.transport import create
from worker.messaging.transport import Ack, Outgoing, QueueSpec, Settled

QUEUE = QueueSpec(name="shop-go", types=("Go",))
HOLDER = """
import asyncio, os, sys
from pathlib import Path
from tests.unit.transports.sqlite.test_orphans import QUEUE, opened
async def main():
    transport = await opened(Path(sys.argv[1]))
    subscription = await transport.subscribe(QUEUE, slots=1)
    got = await subscription.receive(10, 5.0)
    print(len(got), flush=True)
    sys.stdin.read()
    os._exit(9)
asyncio.run(main())
"""


async def opened(folder: Path):
    """A transport over the file of the folder, with the longest lease."""
    transport = create("sqlite", parse("sqlite:///queue.db"), {"lease": 3600}, base=folder, clock=time.time)
    await transport.connect()
    await transport.setup([QUEUE])
    return transport


@pytest.mark.skipif(not Path("/proc/self/ns/pid").exists(), reason="the system does not tell of processes")
async def test_a_dead_processs_messages_come_at_once_and_a_living_ones_do_not(
    tmp_path: Path, monkeypatch
) -> None:
    """Each counts as a death; what the dead one would still say is lost."""
    monkeypatch.setattr(orphans, "EVERY", 0.0)
    transport = await opened(tmp_path)
    await transport.publish([Outgoing(queue=QUEUE.name, id=f"m{n}", type="Go", body=b"{}") for n in range(3)])
    root = str(Path(__file__).parents[4])
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path)],
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
        # it is not asked for its exit code before: a process that nobody has buried is dead, too
        found = await subscription.receive(10, 10.0)
    assert [(one.id, one.deaths, one.redelivered) for one in found] == [(f"m{n}", 1, True) for n in range(3)]
    assert await subscription.settle([Ack(one) for one in found]) == [Settled.DONE] * 3
    await transport.close()


def test_marks_of_one_process_differ_and_tell_nothing_of_other_places() -> None:
    """A container's process ids mean something there only."""
    marks = Marks(place=5, pid=7)
    made = {marks.next() for _ in range(1000)}
    assert len(made) == 1000
    assert max(made) < 1 << 62
    assert {mark >> 16 & 0x3FFFFF for mark in made} == {7}
    assert {mark >> 38 for mark in made} == {5}
