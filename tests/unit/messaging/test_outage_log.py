"""Outages in the log: they are seen, and they do not fill it."""

from __future__ import annotations

import asyncio

import structlog
from structlog.testing import capture_logs

from worker.errors import DatabaseUnavailable
from worker.messaging import outage_log
from worker.messaging.outage_log import OutageLog
from worker.runtime.heartbeat import beat


async def test_an_outage_is_said_when_it_begins_each_minute_and_when_it_is_over(monkeypatch) -> None:
    """However often something is tried meanwhile, and whatever else its reason is; the next one is said anew."""
    with capture_logs() as lines:
        outage = OutageLog(structlog.stdlib.get_logger("test"), "it waits", "it goes on")
        outage.over()
        outage.met(DatabaseUnavailable("no INSERT"), waiting=1)
        outage.met(DatabaseUnavailable("no UPDATE"), waiting=2)
        monkeypatch.setattr(outage_log, "AGAIN", 0.0)
        outage.met(DatabaseUnavailable("no INSERT"), waiting=3)
        outage.over()
        outage.over()
        outage.met(DatabaseUnavailable("gone"))
    assert [(line["event"], line.get("error"), line.get("waiting")) for line in lines] == [
        ("it waits", "no INSERT", 1),
        ("it waits", "no INSERT", 3),
        ("it goes on", None, None),
        ("it waits", "gone", None),
    ]


async def test_a_heartbeat_that_cannot_be_written_is_said_once() -> None:
    """And that it is written again."""
    done = asyncio.Event()
    outcomes = [DatabaseUnavailable("gone")] * 3

    async def write() -> None:
        if outcomes:
            raise outcomes.pop()
        done.set()

    with capture_logs() as lines:
        beating = asyncio.create_task(beat(write, 0.0))
        await done.wait()
        await asyncio.sleep(0)
        beating.cancel()
    assert [line["event"] for line in lines] == ["heartbeat not written", "heartbeat is written again"]
