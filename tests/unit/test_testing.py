"""The test kit: a whole application in memory, by a clock that tests move."""

from __future__ import annotations

import asyncio

import msgspec
import pytest

from tests.unit.kit import Go, Gone, heard, shop
from worker import App, Context, PauseConsumers, Recoverable, Reject, ResumeConsumers, Retry, Unrecoverable
from worker.testing import Clock, TestWorker


def test_time_only_goes_forward() -> None:
    """``advance`` moves the clock by seconds and refuses to turn it back."""
    clock = Clock(10.0)
    clock.advance(2.5)
    assert clock() == 12.5
    with pytest.raises(ValueError, match="0 or more"):
        clock.advance(-1)


async def test_it_must_be_opened() -> None:
    """Used without ``async with`` it says how to use it."""

    async def go(command: Go) -> None: ...

    with pytest.raises(RuntimeError, match="async with"):
        await TestWorker(shop(go)).send(Go())


async def test_nothing_runs_before_it_is_asked_to() -> None:
    """A sent message waits for ``run_until_idle`` and is then handled, decoded anew from its bytes."""
    seen: list[Go] = []

    async def go(command: Go) -> None:
        seen.append(command)

    async with TestWorker(shop(go)) as worker:
        mine = Go(7)
        envelope = await worker.send(mine)
        assert seen == []
        assert worker.sent(Go) == [mine]
        assert (await worker.status(envelope.id)).status == "accepted"
        await worker.run_until_idle()
        assert seen == [mine]
        assert seen[0] is not mine
        assert worker.handled(Go) == [mine]
        assert worker.failed() == []
        assert (await worker.status(envelope.id)).status == "done"


async def test_delayed_messages_wait_for_the_clock() -> None:
    """``send(delay=)`` hands a message out when the clock has moved that far, not before."""

    async def go(command: Go) -> None: ...

    async with TestWorker(shop(go)) as worker:
        await worker.send(Go(), delay=60)
        await worker.run_until_idle()
        worker.clock.advance(59)
        await worker.run_until_idle()
        assert worker.handled(Go) == []
        worker.clock.advance(1)
        await worker.run_until_idle()
        assert worker.handled(Go) == [Go()]


async def test_what_fails_is_retried_after_its_delay() -> None:
    """A handler that fails twice and then works is handled at its third attempt, each after the policy's delay."""
    attempts: list[int] = []

    async def go(command: Go, context: Context) -> None:
        attempts.append(context.attempt)
        if context.attempt < 3:
            raise OSError("not yet")

    async with TestWorker(shop(go, retry=Retry(delay=10, multiplier=2, jitter=0))) as worker:
        envelope = await worker.send(Go())
        await worker.run_until_idle()
        assert (await worker.status(envelope.id)).status == "retrying"
        worker.clock.advance(9)
        await worker.run_until_idle()
        assert attempts == [1]
        worker.clock.advance(1)
        await worker.run_until_idle()
        worker.clock.advance(19)
        await worker.run_until_idle()
        assert attempts == [1, 2]
        worker.clock.advance(1)
        await worker.run_until_idle()
        assert attempts == [1, 2, 3]
        assert worker.handled(Go) == [Go()]
        assert (await worker.status(envelope.id)).attempts == 3


async def test_what_always_fails_ends_in_the_failure_store_and_can_be_retried() -> None:
    """After the last retry it is shown by ``failed``; once mended, ``retry`` puts it back and it is done."""
    broken = True

    async def go(command: Go) -> None:
        if broken:
            raise OSError("broken")

    async with TestWorker(shop(go, retry=Retry(max_retries=2, delay=1, jitter=0))) as worker:
        envelope = await worker.send(Go(3))
        for _ in range(4):
            await worker.run_until_idle()
            worker.clock.advance(10)
        (failed,) = worker.failed()
        assert (failed.id, failed.type, failed.attempts) == (envelope.id, "Go", 3)
        assert failed.error is not None
        assert (failed.error.type, failed.error.message) == ("OSError", "broken")
        assert (await worker.status(envelope.id)).status == "failed"
        broken = False
        await worker.retry(envelope.id)
        assert worker.failed() == []
        await worker.run_until_idle()
        assert worker.failed() == []
        assert worker.handled(Go) == [Go(3)]
        assert (await worker.status(envelope.id)).status == "done"


@pytest.mark.parametrize("error", [Unrecoverable("never"), Reject("never")])
async def test_some_errors_are_final(error: Exception) -> None:
    """``Unrecoverable`` and ``Reject`` go to the failure store at the first attempt."""

    async def go(command: Go) -> None:
        raise error

    async with TestWorker(shop(go)) as worker:
        await worker.send(Go())
        await worker.run_until_idle()
        assert [failed.attempts for failed in worker.failed()] == [1]


async def test_recoverable_is_retried_whatever_the_policy_says() -> None:
    """``Recoverable(delay)`` comes again after that delay, beyond the policy's retries."""
    attempts: list[int] = []

    async def go(command: Go, context: Context) -> None:
        attempts.append(context.attempt)
        if context.attempt < 4:
            raise Recoverable("later", delay=100)

    async with TestWorker(shop(go, retry=Retry(max_retries=0))) as worker:
        await worker.send(Go())
        for _ in range(4):
            await worker.run_until_idle()
            worker.clock.advance(100)
        assert attempts == [1, 2, 3, 4]
        assert worker.failed() == []
        assert worker.handled(Go) == [Go()]


async def test_events_reach_subscribers_by_a_queue_of_their_own() -> None:
    """``queue``: what a handler records is sent and heard in the same run."""

    async def go(command: Go, context: Context) -> None:
        context.record(Gone(1))
        context.record(Gone(2))

    app = shop(go)
    events = heard(app)
    async with TestWorker(app) as worker:
        await worker.send(Go())
        await worker.run_until_idle()
        assert worker.sent(Gone) == [Gone(1), Gone(2)]
        assert events == [Gone(1), Gone(2)]
        assert worker.handled(Gone) == [Gone(1), Gone(2)]


async def test_events_can_be_handled_inline() -> None:
    """``inline``: subscribers run at once after the handler's commit, and nothing is sent."""

    async def go(command: Go, context: Context) -> None:
        context.record(Gone(1))

    app = shop(go)
    events = heard(app)
    async with TestWorker(app, events="inline") as worker:
        await worker.send(Go())
        await worker.run_until_idle()
        assert worker.sent(Gone) == []
        assert events == [Gone(1)]


async def test_events_can_be_ignored() -> None:
    """``ignore``: nothing is sent and no subscriber hears."""

    async def go(command: Go, context: Context) -> None:
        context.record(Gone(1))

    app = shop(go)
    events = heard(app)
    async with TestWorker(app, events="ignore") as worker:
        await worker.send(Go())
        await worker.run_until_idle()
        assert worker.sent(Gone) == []
        assert events == []
        assert worker.handled(Go) == [Go()]


async def test_an_event_can_be_sent_from_outside() -> None:
    """``send`` takes an event as it takes a command."""

    async def go(command: Go) -> None: ...

    app = shop(go)
    events = heard(app)
    async with TestWorker(app) as worker:
        await worker.send(Gone(5))
        await worker.run_until_idle()
        assert events == [Gone(5)]


async def test_an_event_without_subscribers_goes_nowhere() -> None:
    """An event without subscribers is not sent, and recording it does no harm."""

    async def go(command: Go, context: Context) -> None:
        context.record(Gone(1))

    async with TestWorker(shop(go)) as worker:
        await worker.send(Go())
        await worker.run_until_idle()
        assert worker.sent(Gone) == []
        assert worker.handled(Go) == [Go()]


async def test_what_is_paused_waits() -> None:
    """A pause holds in the kit as it does in a fleet."""
    app = App("shop")
    handled = []

    class Place(msgspec.Struct, frozen=True):
        number: int

    async def place(command: Place) -> None:
        handled.append(command.number)

    place.__annotations__ = {"command": Place, "return": None}
    app.command(Place)
    app.handler(place)
    async with TestWorker(app) as worker:
        await worker.send(PauseConsumers(types=("Place",)))
        await worker.send(Place(1))
        await worker.run_until_idle()
        assert handled == []
        await worker.send(ResumeConsumers())
        await worker.run_until_idle()
        assert handled == [1]


async def test_where_all_is_paused_a_run_ends_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing comes that would wake it up to find out."""
    monkeypatch.setattr("worker.runtime.worker._TICK", 600.0)
    app = App("shop")
    app.command(Go)

    @app.handler
    async def go(command: Go) -> None: ...

    async with TestWorker(app) as worker, asyncio.timeout(30):
        await worker.send(PauseConsumers())
        await worker.send(Go())
        await worker.run_until_idle()
        assert worker.handled(Go) == []
