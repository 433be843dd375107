"""What a handler recorded before it failed, where events are delivered on errors."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.kit import Follow, Go, Gone, heard, shop
from worker import App, Context, DatabaseUnavailable, ExceptionWasCaught, Retry
from worker.testing import TestWorker

TWICE = Retry(max_retries=1, delay=1.0)


def failing(error: BaseException, **options: Any) -> App:
    """An application whose ``Go`` records, dispatches and raises."""

    async def go(command: Go, context: Context) -> None:
        context.record(Gone(context.attempt))
        context.dispatch(Follow())
        raise error

    return shop(go, **options)


def caught_by(app: App) -> list[ExceptionWasCaught]:
    """Subscribe to what was caught."""
    found: list[ExceptionWasCaught] = []

    @app.subscriber
    async def hear_caught(event: ExceptionWasCaught) -> None:
        found.append(event)

    return found


async def test_recorded_events_leave_once_for_each_attempt() -> None:
    """And after each what was caught; what was dispatched does not leave."""
    app = failing(ValueError("no stock"), retry=TWICE)
    events, caught = heard(app), caught_by(app)
    async with TestWorker(app, deliver_on_error=True) as worker:
        sent = await worker.send(Go())
        await worker.run_until_idle()
        worker.clock.advance(60)
        await worker.run_until_idle()
        assert events == [Gone(1), Gone(2)]
        assert caught == [
            ExceptionWasCaught(type="Go", id=sent.id, attempt=n, error_type="ValueError", message="no stock")
            for n in (1, 2)
        ]
        assert worker.sent(Follow) == []
        assert len(worker.failed()) == 1


async def test_by_default_nothing_leaves() -> None:
    """A handler that fails has done nothing."""
    app = failing(ValueError("no stock"))
    events, caught = heard(app), caught_by(app)
    async with TestWorker(app) as worker:
        await worker.send(Go())
        await worker.run_until_idle()
    assert (events, caught) == ([], [])


@pytest.mark.parametrize("error", [SystemExit(3), KeyboardInterrupt(), GeneratorExit()])
async def test_whatever_is_raised_is_caught(error: BaseException) -> None:
    """Its own name is told, not the one it travels under."""
    app = failing(error, retry=Retry(max_retries=0))
    caught = caught_by(app)
    async with TestWorker(app, deliver_on_error=True) as worker:
        await worker.send(Go())
        await worker.run_until_idle()
    assert [event.error_type for event in caught] == [type(error).__name__]


async def test_a_handler_without_a_context_is_caught_too() -> None:
    """It has recorded nothing; that it failed is told."""

    async def go(command: Go) -> None:
        raise ValueError("\ud800 \0")

    app = shop(go, retry=Retry(max_retries=0))
    caught = caught_by(app)
    async with TestWorker(app, deliver_on_error=True) as worker:
        await worker.send(Go())
        await worker.run_until_idle()
    assert [event.message for event in caught] == ["\\ud800 \\x00"]


async def test_an_outage_is_no_attempt() -> None:
    """Nothing is delivered of what will run again as if it had not run."""
    app = failing(DatabaseUnavailable("down"))
    events, caught = heard(app), caught_by(app)
    async with TestWorker(app, deliver_on_error=True) as worker:
        await worker.send(Go())
        await worker.run_until_idle()
    assert (events, caught) == ([], [])


async def test_a_subscriber_of_what_was_caught_that_fails_makes_no_further_one() -> None:
    """Else one failure would go on for ever."""
    app = failing(ValueError("no stock"), retry=Retry(max_retries=0))
    calls: list[ExceptionWasCaught] = []

    @app.subscriber
    async def hear_caught(event: ExceptionWasCaught) -> None:
        calls.append(event)
        raise RuntimeError("also broken")

    async with TestWorker(app, deliver_on_error=True) as worker:
        await worker.send(Go())
        for _ in range(6):
            await worker.run_until_idle()
            worker.clock.advance(3600)
        assert {event.type for event in calls} == {"Go"}
        assert len({event.id for event in calls}) == 1
        assert len(worker.failed()) == 2


@pytest.mark.parametrize("mode", ["inline", "ignore"])
async def test_other_modes_hold_for_these_events_too(mode: Any) -> None:
    """Inline ones are handled before the message is settled, ignored ones never."""
    app = failing(ValueError("no stock"), retry=Retry(max_retries=0))
    events, caught = heard(app), caught_by(app)
    async with TestWorker(app, events=mode, deliver_on_error=True) as worker:
        await worker.send(Go())
        await worker.run_until_idle()
    assert (len(events), len(caught)) == ((1, 1) if mode == "inline" else (0, 0))
