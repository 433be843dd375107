"""Firing: what a function returns is sent once; what goes wrong in it is that firing's own."""

from __future__ import annotations

import asyncio
import threading
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from tests.unit.runtime.scheduler.house import Ask, Desk, Tick, ticking
from worker.errors import DatabaseUnavailable


async def test_the_function_gets_the_tick_in_the_schedules_zone():
    got: list[datetime] = []

    def note(tick: datetime) -> None:
        got.append(tick)

    desk = Desk(note, "@hourly", timezone="Asia/Tokyo")
    await desk.fire(3600.0)
    assert got == [datetime(1970, 1, 1, 1, tzinfo=UTC)]
    assert got[0].utcoffset() == timedelta(hours=9)


async def test_ids_follow_from_application_schedule_and_tick():
    """They are UUIDv7 of the tick's time, the same wherever it is fired, and another one for each message."""

    async def several(tick: datetime) -> list[Tick]:
        return [Tick("a"), Tick("a")]

    one, other = Desk(several), Desk(several)
    fired = await one.fire(1_010.0)
    assert (await other.fire(1_010.0)).ids == fired.ids
    assert one.firings.sent == list(fired.ids)
    first, second = map(UUID, fired.ids)
    assert first != second
    assert first.version == 7
    assert first.int >> 80 == 1_010_000
    assert (await one.fire(1_020.0)).ids[0] != fired.ids[0]


async def test_a_tick_that_was_fired_is_not_called_for_again():
    calls: list[datetime] = []

    async def note(tick: datetime) -> Tick:
        calls.append(tick)
        return Tick()

    desk = Desk(note)
    assert await desk.fire() is not None
    assert await desk.fire() is None
    assert len(calls) == len(desk.firings.sent) == 1


@pytest.mark.parametrize("returned", [None, [], ()])
async def test_nothing_to_send_is_a_firing_too(returned: Any):
    async def nothing() -> Any:
        return returned

    desk = Desk(nothing)
    assert (await desk.fire()).ids == ()
    assert desk.firings.ticks == [1_010.0]


def raises() -> None:
    raise LookupError("lost \x00 \ud800")


def exits() -> None:
    raise SystemExit(1)


async def exits_on_the_loop() -> None:
    raise KeyboardInterrupt


async def cancels_itself() -> None:
    raise asyncio.CancelledError


def returns_a_coroutine_of_nonsense() -> Any:
    async def inner() -> Any:
        return object()

    return inner()


@pytest.mark.parametrize(
    ("call", "kind", "text"),
    [
        (raises, "LookupError", "lost"),
        (exits, "AbruptEnd", "SystemExit"),
        (exits_on_the_loop, "AbruptEnd", "KeyboardInterrupt"),
        (cancels_itself, "AbruptEnd", "CancelledError"),
        (returns_a_coroutine_of_nonsense, "UsageError", "returned a object"),
        (lambda: 3, "UsageError", "returned a int, which is no declared command or event"),
        (lambda: [Tick(), "x"], "UsageError", "returned a str"),
        (lambda: Tick, "UsageError", r"write Tick\(...\)"),
        (lambda: Ask(), "UsageError", "query Ask"),  # noqa: PLW0108  # a class is no function
        (lambda: Tick(at=3), "UsageError", "at"),
        (lambda: (one for one in [Tick()]), "UsageError", "a generator"),
        (lambda: [Tick()] * 10_001, "UsageError", "10001 messages"),
    ],
)
async def test_what_goes_wrong_fails_that_firing_visibly(call: Any, kind: str, text: str):
    import re

    desk = Desk(call, name="it")
    fired = await desk.fire()
    assert fired.error is not None
    (firing,) = desk.firings.fired.values()
    assert (firing.error_type, firing.ids) == (kind, ())
    assert re.search(text, firing.error_message or "")
    assert desk.firings.sent == []
    assert await desk.fire() is None


async def test_a_function_that_hangs_is_left_alone_and_not_called_beside_itself():
    """On the loop, also when it will not be cancelled."""
    go_on, calls = asyncio.Event(), []

    async def hangs() -> None:
        calls.append(1)
        while not go_on.is_set():
            try:
                await go_on.wait()
            except asyncio.CancelledError:
                pass

    desk = Desk(hangs, timeout=0.01)
    assert "ran longer than 0.01 s" in str((await desk.fire(1_010.0)).error)
    assert "still runs for an earlier tick" in str((await desk.fire(1_020.0)).error)
    go_on.set()
    while desk.calling._stuck:
        await asyncio.sleep(0)
    assert (await desk.fire(1_030.0)).error is None
    assert len(calls) == 2


async def test_a_plain_function_that_hangs_holds_no_other_up():
    go_on, calls = threading.Event(), []

    def hangs() -> None:
        calls.append(1)
        go_on.wait()

    desk = Desk(hangs, timeout=0.01)
    assert "ran longer than 0.01 s" in str((await desk.fire(1_010.0)).error)
    assert "still runs for an earlier tick" in str((await desk.fire(1_020.0)).error)
    go_on.set()
    while desk.calling._stuck:
        await asyncio.sleep(0.001)
    assert (await desk.fire(1_030.0)).error is None
    desk.threads.close()


async def test_a_plain_function_runs_in_a_thread():
    where: list[str] = []

    def note() -> None:
        where.append(threading.current_thread().name)

    desk = Desk(note)
    await desk.fire()
    assert where != [threading.current_thread().name]


async def test_a_middleware_that_fails_fails_the_firing():
    desk = Desk(ticking)
    desk.sends.fault = ValueError("no")
    assert (await desk.fire()).error is not None
    assert desk.firings.ticks == [1_010.0]


async def test_what_is_handled_inline_is_so_after_it_was_written_down():
    desk = Desk(ticking)
    desk.sends.inline = True
    fired = await desk.fire()
    assert desk.sends.handled == list(fired.ids)
    assert await desk.fire() is None
    assert len(desk.sends.handled) == 1


async def test_an_outage_of_the_database_is_nobodys_failure():
    desk = Desk(ticking)
    desk.firings.outages = 1
    with pytest.raises(DatabaseUnavailable):
        await desk.fire()
    assert (await desk.fire()).error is None
