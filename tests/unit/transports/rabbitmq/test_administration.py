"""Letting go of the connection that asks: a broker that is silent does not hold it up, nor does its driver."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from transports import dsn
from transports.rabbitmq import administration, settings
from transports.rabbitmq.administration import Administration
from worker.errors import TransportUnavailable

SETTINGS = settings.read("rabbitmq", dsn.parse("amqp://me:hunter2@127.0.0.1:1/"), {}, Path())


class Silent:
    """A connection and its channel over a line that has died: a close takes no cancellation for an answer."""

    is_closed = False

    def __init__(self) -> None:
        self.let = asyncio.Event()

    async def channel(self, **options):
        return self

    async def close(self) -> None:
        while not self.let.is_set():
            try:
                await self.let.wait()
            except asyncio.CancelledError:
                continue


async def test_a_close_that_swallows_its_cancellation_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """The driver waits for its own tasks when it is cancelled: of a channel, and of the connection."""
    silent = Silent()

    async def connect(**options):
        return silent

    monkeypatch.setattr(administration.aio_pika, "connect", connect)
    monkeypatch.setattr(administration, "_CLOSING", 0.01)
    asking = Administration("rabbitmq", SETTINGS, lambda why: TransportUnavailable(str(why)))
    assert await asking.perform([]) == []
    await asking.close()
    silent.let.set()
