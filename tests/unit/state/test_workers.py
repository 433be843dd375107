"""Worker processes: seen, listed, forgotten."""

from __future__ import annotations

import msgspec

from worker.state.workers import Heartbeat, Workers

BEAT = Heartbeat(id="w1", host="h", pid=7, started_at=5.0, types=("A", "B"), troubles=("queue a: down",))


async def test_a_beat_is_listed_until_it_is_too_old(database, clock):
    """A process is live for as long as its last beat is recent."""
    workers = Workers(database)
    await workers.beat(BEAT)
    clock.advance(10.0)
    await workers.beat(msgspec.structs.replace(BEAT, applied_version=3))
    assert await workers.live(15.0) == [msgspec.structs.replace(BEAT, applied_version=3, seen_at=clock.now)]
    clock.advance(20.0)
    assert await workers.live(15.0) == []
    assert await workers.prune(15.0) == 1


async def test_a_process_that_stops_is_gone(database):
    """A process takes itself off the list."""
    workers = Workers(database)
    await workers.beat(BEAT)
    await workers.remove("w1")
    await workers.remove("w1")
    assert await workers.live(15.0) == []
