"""A connection is given up when the broker shows no sign of life, and not when the worker did not listen for one."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from transports.rabbitmq.wire.connection import AmqpConnection
from transports.rabbitmq.wire.login import Login

HEARTBEAT = 10
BEAT = b"\x08\x00\x00\x00\x00\x00\x00\xce"


class Loop:
    """A loop whose clock the test moves."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.timers: list[tuple[float, Callable[[], None]]] = []

    def time(self) -> float:
        return self.now

    def create_future(self) -> asyncio.Future[None]:
        return asyncio.get_running_loop().create_future()

    def call_later(self, delay: float, callback: Callable[[], None]) -> asyncio.Handle:
        self.timers.append((self.now + delay, callback))
        return asyncio.Handle(callback, (), asyncio.get_running_loop())

    def move(self, seconds: float) -> None:
        """Let time pass, and call what is due when it is due."""
        end = self.now + seconds
        while self.timers and min(self.timers)[0] <= end:
            due = min(self.timers)
            self.timers.remove(due)
            self.now = max(self.now, due[0])
            due[1]()
        self.now = max(self.now, end)

    def hold_up(self, seconds: float) -> None:
        """Let time pass while nothing of this process runs."""
        self.now += seconds


class Socket(asyncio.Transport):
    """Takes everything."""

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        pass

    def write(self, data: object) -> None:
        pass

    def abort(self) -> None:
        pass


@pytest.fixture
async def loop() -> Loop:
    return Loop()


@pytest.fixture
async def amqp(loop: Loop) -> AmqpConnection:
    login = Login(username="u", password="p", vhost="/", heartbeat=HEARTBEAT, name="test")
    made = AmqpConnection(login, loop)
    made.connection_made(Socket())
    return made


async def test_silence_of_a_heartbeat_and_a_half_is_the_end(loop: Loop, amqp: AmqpConnection) -> None:
    """The broker may be silent for a whole heartbeat; soon after one and a half it is gone, and the reason says so."""
    loop.move(1.5 * HEARTBEAT)
    assert not amqp.lost.done()
    loop.move(HEARTBEAT / 4)
    assert "no sign of life" in str(amqp.lost.result())


async def test_a_broker_that_shows_signs_is_kept(loop: Loop, amqp: AmqpConnection) -> None:
    """However long, one sign in a heartbeat is enough."""
    for _ in range(50):
        loop.move(HEARTBEAT * 1.2)
        amqp.data_received(BEAT)
    assert not amqp.lost.done()


async def test_a_process_that_was_held_up_listens_before_it_judges(loop: Loop, amqp: AmqpConnection) -> None:
    """After a minute in which nothing of it ran, the signs that came meanwhile are heard first; without any it is the end."""
    loop.hold_up(60)
    loop.move(0)
    assert not amqp.lost.done()
    amqp.data_received(BEAT)
    loop.move(HEARTBEAT)
    assert not amqp.lost.done()
    loop.hold_up(60)
    loop.move(HEARTBEAT / 2)
    assert amqp.lost.done()
