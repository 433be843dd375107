"""A connection that is lost is opened again, with pauses that grow, and says meanwhile why it is away."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from transports import dsn
from transports.rabbitmq import connection as connections
from transports.rabbitmq import settings
from transports.rabbitmq.connection import Connection
from transports.rabbitmq.wire.connection import connect
from transports.rabbitmq.wire.faults import ConnectionLost
from transports.rabbitmq.wire.login import Login
from worker.errors import TransportUnavailable

SETTINGS = settings.read("rabbitmq", dsn.parse("amqp://me:hunter2@127.0.0.1:1/"), {}, Path())
LOGIN = Login(username="me", password="hunter2", vhost="/", heartbeat=60, name="test", tls=None)


class Host:
    """Refuses, answers, or is not there, as ``says`` tells; an AMQP connection that it gave can be lost."""

    def __init__(self) -> None:
        self.says: list[object] = []
        self.opened: list[object] = []

    async def __call__(self, host, port, login, timeout):
        answer = self.says.pop(0) if self.says else None
        if isinstance(answer, BaseException):
            raise answer
        amqp = type("AmqpConnection", (), {})()
        amqp.lost = asyncio.get_running_loop().create_future()

        async def close() -> None:
            if not amqp.lost.done():
                amqp.lost.set_result(ConnectionLost("closed"))

        amqp.close = close
        self.opened.append(amqp)
        return amqp


@pytest.fixture
def host(monkeypatch) -> Host:
    made = Host()
    monkeypatch.setattr(connections, "connect", made)
    return made


@pytest.fixture
def pauses(monkeypatch) -> list[float]:
    """The pauses between attempts; they take no time."""
    taken: list[float] = []
    sleep = asyncio.sleep

    async def pause(seconds: float) -> None:
        taken.append(seconds)
        await sleep(0)

    monkeypatch.setattr(connections.asyncio, "sleep", pause)
    return taken


async def test_pauses_grow_to_some_seconds(host: Host, pauses: list[float]) -> None:
    """F13: a broker that refuses us again and again is not stormed: up to five seconds and a half lie between."""
    connection = Connection("rabbitmq", "consume", SETTINGS)
    await connection.open()
    host.says = [ConnectionLost("ACCESS_REFUSED", 403)] * 12
    host.opened[0].lost.set_result(ConnectionLost("closed by the broker"))
    amqp = await connection.wait(10)
    assert amqp is host.opened[1]
    assert len(pauses) == 13
    assert max(pauses[:2]) < 0.5 and all(2.5 <= pause <= 7.5 for pause in pauses[8:])
    await connection.close()


async def test_it_says_why_it_is_away(host: Host) -> None:
    """While there is no connection its users are told the last reason, without the password."""
    connection = Connection("rabbitmq", "consume", SETTINGS)
    with pytest.raises(TransportUnavailable, match="not connected"):
        _ = connection.amqp
    await connection.open()
    host.says = [ConnectionLost("ACCESS_REFUSED", 403), OSError("no route")] * 1000
    host.opened[0].lost.set_result(ConnectionLost("CONNECTION_FORCED"))
    with pytest.raises(
        TransportUnavailable, match=r"amqp://me:\*\*\*@.*(CONNECTION_FORCED|refuses us|no route)"
    ):
        await connection.wait(0.05)
    await connection.close()
    with pytest.raises(TransportUnavailable, match="not connected"):
        await connection.wait(10)


async def test_a_fault_of_ours_does_not_end_the_attempts(host: Host, pauses: list[float]) -> None:
    """Whatever goes wrong in an attempt, there is another one."""
    connection = Connection("rabbitmq", "consume", SETTINGS)
    await connection.open()
    host.says = [ValueError("a bug"), None]
    host.opened[0].lost.set_result(ConnectionLost("gone"))
    assert await connection.wait(10) is host.opened[1]
    await connection.close()


async def test_who_waits_is_let_go_at_close(host: Host) -> None:
    """No caller waits for a connection that is not wanted any more."""
    connection = Connection("rabbitmq", "consume", SETTINGS)
    await connection.open()
    host.says = [OSError("no route")] * 1000
    host.opened[0].lost.set_result(ConnectionLost("gone"))
    waiting = asyncio.ensure_future(connection.wait(None))
    await asyncio.sleep(0)
    await connection.close()
    async with asyncio.timeout(30):
        with pytest.raises(TransportUnavailable):
            await waiting


async def test_a_connection_can_be_closed_in_the_middle_of_a_handshake() -> None:
    """Its keeper is let go of while a broker is silent: it must not take that for one more failed attempt."""
    silent = asyncio.Event()

    async def say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(8)
        silent.set()
        await reader.read()
        writer.close()

    async with await asyncio.start_server(say_nothing, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        shaking_hands = asyncio.ensure_future(connect("127.0.0.1", port, LOGIN, 60.0))
        await silent.wait()
        shaking_hands.cancel()
        await asyncio.wait({shaking_hands})
    assert shaking_hands.cancelled()
