"""Asking the broker: over a connection that is there while it is needed, and never for longer than a bounded time."""

from __future__ import annotations

import asyncio

import pytest

from tests.integration.rabbitmq.conftest import PATIENCE, QUEUE
from tests.proxy.proxy import Proxy
from transports.rabbitmq import administration
from worker.errors import TransportUnavailable

pytestmark = pytest.mark.broker


async def test_the_connection_is_let_go_of_and_opened_again(
    transport, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An idle worker keeps none; the next question gets an answer."""
    monkeypatch.setattr(administration, "_LINGER", 0.01)
    assert await transport.missing([QUEUE]) == []
    async with asyncio.timeout(PATIENCE):
        while transport._administration._connection is not None:
            await asyncio.sleep(0.005)
    assert await transport.missing([QUEUE]) == []


async def test_questions_at_once_share_a_connection_that_nobody_closes_under_them(
    transport, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The end of one round is not the end of the others."""
    monkeypatch.setattr(administration, "_LINGER", 0.0)
    rounds = [transport.missing([QUEUE]) for _ in range(20)]
    assert await asyncio.gather(*rounds) == [[]] * 20


async def test_a_connection_that_was_cut_meanwhile_is_replaced(transport, proxy: Proxy) -> None:
    """The next question does not fail for it."""
    assert await transport.missing([QUEUE]) == []
    kept = transport._administration._connection
    proxy.cut()
    async with asyncio.timeout(PATIENCE):
        while not kept.is_closed:
            await asyncio.sleep(0.005)
    assert await transport.missing([QUEUE]) == []


async def test_a_broker_that_does_not_answer_is_given_up(
    transport, proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a bounded time, by name; when it answers again, so do we."""
    assert await transport.missing([QUEUE]) == []
    monkeypatch.setattr(administration, "ANSWER", 0.2)
    proxy.freeze()
    with pytest.raises(TransportUnavailable, match=r"amqp://guest:\*\*\*@.* no answer within 0.2 s"):
        await transport.missing([QUEUE])
    proxy.cut()
    proxy.clear()
    monkeypatch.undo()
    assert await transport.missing([QUEUE]) == []
