"""Channels are made in the running loop, no call is without a deadline, and a silent line is left for another."""

import asyncio
import socket

import grpc.aio
import msgspec
import pytest

from tests.unit.transports.pubsub.service import CONFIGURED, FakeConnection, pulled
from transports.pubsub import link, wire
from transports.pubsub.connection import Connection
from transports.pubsub.link import Link
from transports.pubsub.pulling import LONGEST
from transports.pubsub.transport import PubsubTransport
from transports.pubsub.wire import Method
from worker.errors import TransportUnavailable
from worker.messaging.transport import Ack, Outgoing, QueueSpec, Release

METHODS = {one.path: one for one in vars(wire).values() if isinstance(one, Method)}


class FakeChannel:
    """Notes with which deadline each call is made; answers as ``FakeConnection`` does."""

    def __init__(self, calls):
        self.calls = calls
        self.service = FakeConnection()

    def unary_unary(self, path, request_serializer, response_deserializer):
        async def stub(request, timeout=None, metadata=()):
            self.calls.append((path.rpartition("/")[2], timeout))
            method = METHODS[path]
            async with asyncio.timeout(0.05):
                return await self.service.call(method, request)

        return stub

    async def close(self, grace=None):
        """Nothing is open."""


def test_a_channel_made_outside_of_a_running_loop_is_refused():
    """It would hang for ever at its first call."""
    with pytest.raises(RuntimeError, match="no running event loop"):
        Link(CONFIGURED, None)


async def test_no_call_is_without_a_deadline(monkeypatch):
    calls = []
    channel = FakeChannel(calls)
    monkeypatch.setattr(Link, "_make", lambda self: channel)
    transport = PubsubTransport("jobs", CONFIGURED)
    queue = QueueSpec(name="plain", types=("T",))
    await transport.connect()
    await transport.setup([queue])
    await transport.missing([queue])
    await transport.ping()
    await transport.publish([Outgoing(queue="plain", id="1", type="T", body=b"1")])
    channel.service.next(wire.PULL, wire.Pulled(), pulled(b"1", b"2"))
    subscription = await transport.subscribe(queue, slots=2)
    first, second = await subscription.receive(2, 30.0)
    await subscription.extend([first])
    await subscription.settle([Ack(first), Release(second)])
    await transport.close()
    assert {name for name, _ in calls} == {
        "CreateTopic",
        "GetTopic",
        "CreateSubscription",
        "GetSubscription",
        "Publish",
        "Pull",
        "Acknowledge",
        "ModifyAckDeadline",
    }
    assert all(timeout is not None and 0 < timeout <= LONGEST for _, timeout in calls), calls


async def test_a_call_without_an_answer_ends_and_the_next_goes_over_another_channel(monkeypatch):
    """No error says that a line is dead; nothing listens to what this one sends."""
    monkeypatch.setattr(link, "_RENEWAL", 0.0)
    server = socket.create_server(("127.0.0.1", 0))
    host = f"127.0.0.1:{server.getsockname()[1]}"
    made = PubsubTransport("jobs", msgspec.structs.replace(CONFIGURED, emulator_host=host, timeout=0.2))
    await made.connection.connect()
    before = made.connection._calls._channel
    with pytest.raises(TransportUnavailable):
        await made.ping()
    assert made.connection._calls._channel is not before
    await made.connection.close()
    server.close()


async def test_an_answer_that_cannot_be_read_is_a_failure():
    """gRPC's asyncio stubs log it and return None."""

    async def garbage(request, context):
        return b"\xff\xff\xff"

    server = grpc.aio.server()
    path = wire.PULL.path.rpartition("/")
    handlers = {path[2]: grpc.unary_unary_rpc_method_handler(garbage)}
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(path[0][1:], handlers),))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    one = Link(msgspec.structs.replace(CONFIGURED, emulator_host=f"127.0.0.1:{port}"), None)
    with pytest.raises(TransportUnavailable, match="cannot be read") as told:
        await one.call(wire.PULL, wire.Pull(subscription="s"), 10.0)
    assert told.value.doubtful
    await one.close()
    await server.stop(None)


async def test_what_is_asked_before_it_is_connected_is_told():
    with pytest.raises(TransportUnavailable, match="not connected"):
        await Connection("jobs", CONFIGURED).call(wire.GET_TOPIC, wire.GetTopic(topic="t"))
