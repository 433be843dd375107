"""What a step raises in an action that a handler runs, and does not catch."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.unit.kit import Go, shop
from worker import (
    App,
    ChainContext,
    Plugin,
    Recoverable,
    Reject,
    Retry,
    Stamp,
    StepFailed,
    Unrecoverable,
    UsageError,
)
from worker.messaging.context import Context
from worker.messaging.stamps import Plugins
from worker.testing import TestWorker


def failing(error: BaseException) -> App:
    """An application whose handler runs an action whose only step raises."""

    async def go(command: Go, context: Context) -> None:
        await app.run_action("export", number=command.number)

    async def fail(context: ChainContext) -> None:
        raise error

    app = shop(go, retry=Retry(max_retries=2, delay=1.0, jitter=0.0))
    app.action("export")
    app.step(action="export")(fail)
    return app


async def attempts(error: BaseException, seconds: float) -> tuple[int, str]:
    """Attempts until the failure store, and the type of what is in there."""
    async with TestWorker(failing(error)) as worker:
        await worker.send(Go())
        await worker.run_until_idle()
        tried = 1
        while not worker.failed():
            tried += 1
            worker.clock.advance(seconds)
            await worker.run_until_idle()
            assert tried < 10
        (failure,) = worker.failed()
        assert failure.error is not None
        return tried, failure.error.type


async def test_a_failed_step_is_retried_as_any_failure() -> None:
    """By the policy of the message."""
    assert await attempts(ValueError("x"), 10.0) == (3, StepFailed.__name__)


@pytest.mark.parametrize("error", [Unrecoverable("x"), Reject("x"), UsageError("x")])
async def test_a_step_can_say_that_no_retry_helps(error: Exception) -> None:
    """Its word is the handler's."""
    assert (await attempts(error, 10.0))[0] == 1


async def test_a_step_can_ask_for_a_retry() -> None:
    """Whatever the policy says, and with its own delay."""
    async with TestWorker(failing(Recoverable("later", delay=60))) as worker:
        await worker.send(Go())
        for _ in range(5):
            await worker.run_until_idle()
            assert worker.failed() == []
            worker.clock.advance(60)


async def test_an_action_ends_nothing_but_its_handler() -> None:
    """Also by ``SystemExit``, and in an action that an action runs."""
    app = failing(SystemExit(3))
    app.action("outer")

    async def outer(context: ChainContext) -> Any:
        return await app.run_action("export")

    app.step(action="outer")(outer)
    with pytest.raises(StepFailed) as caught:
        await app.run_action("outer")
    inner: Any = caught.value.cause
    assert (caught.value.action, inner.action, type(inner.cause)) == ("outer", "export", SystemExit)
    assert (await attempts(SystemExit(3), 10.0))[0] == 3


@pytest.mark.parametrize(
    ("stamps", "given", "expected"),
    [
        ((), {}, ["own", "audit"]),
        ((Plugins(("audit", "other")),), {}, ["own", "audit"]),
        ((Plugins(("other",)),), {}, ["own"]),
        ((Plugins(()),), {}, ["own"]),
        ((Plugins(()),), {"plugins": ["audit"]}, ["own", "audit"]),
    ],
)
async def test_a_plugins_step_runs_for_messages_whose_token_lists_it(
    stamps: tuple[Stamp, ...], given: dict[str, Any], expected: list[str]
) -> None:
    """In the worker, in handlers of both kinds; and for those without token."""
    ran: list[list[str]] = []

    def audit(context: ChainContext) -> None:
        context.result.append("audit")

    async def own(context: ChainContext) -> None:
        context.result = ["own"]

    async def on_the_loop(command: Go) -> None:
        ran.append((await app.run_action("export", **given)).result)

    def in_a_thread(command: Go) -> None:
        ran.append(asyncio.run(app.run_action("export", **given)).result)

    app, plugin = shop(on_the_loop, in_a_thread), Plugin("audit")
    app.include(plugin)
    app.action("export")
    app.step(action="export")(own)
    plugin.step(action="export")(audit)
    async with TestWorker(app) as worker:
        await worker.send(Go(), *stamps)
        await worker.run_until_idle()
        assert ran == [expected, expected]
        assert (await app.run_action("export")).result == ["own", "audit"]
