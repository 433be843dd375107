"""The Pub/Sub emulator as a ground: emptied, and with a project of its own, for each measurement."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Protocol

import grpc
from google.pubsub_v1 import types

from benchmarks.contest.copies import renewing
from benchmarks.peers.pubsub import EMULATOR, project_of

_AT_ONCE = 500
_TIMEOUT = 10.0
_PATH = "/google.pubsub.v1"


def _plain(wrapper: Any) -> Any:
    return type(wrapper.pb(wrapper()))


_Message = _plain(types.PubsubMessage)
_Publish, _Published = _plain(types.PublishRequest), _plain(types.PublishResponse)
_Pull, _Pulled = _plain(types.PullRequest), _plain(types.PullResponse)
_Acknowledge = _plain(types.AcknowledgeRequest)


class Broker(Protocol):
    """What is asked of ``tests.brokers.pubsub.Pubsub``; one that this run started can be killed and started again, too."""

    host: str
    how: str

    def project(self) -> str:
        """The address of a project that nothing else uses."""
        ...


class PubsubGround:
    """One emulator. All that it has ever held slows it down, so where this run started it, it is restarted each time."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker

    @contextmanager
    def fresh(self) -> Iterator[str]:
        """Give a project; the emulator is empty then, where this run started it."""
        broker: Any = self._broker
        if hasattr(broker, "kill"):
            broker.kill()
            broker.start()
        os.environ[EMULATOR] = self._broker.host  # for the programs, too
        yield self._broker.project()

    def multiply(self, url: str, queue: str, messages: int) -> None:
        """Take the one message out and publish copies."""
        with grpc.insecure_channel(self._broker.host) as channel:
            (sample,) = _pull(channel, url, queue, 1)
            publish = channel.unary_unary(
                f"{_PATH}.Publisher/Publish",
                request_serializer=_Publish.SerializeToString,
                response_deserializer=_Published.FromString,
            )
            topic = f"projects/{project_of(url)}/topics/{queue}"
            for start in range(0, messages, _AT_ONCE):
                copies = [_copy(sample.message) for _ in range(min(_AT_ONCE, messages - start))]
                publish(_Publish(topic=topic, messages=copies), timeout=_TIMEOUT)

    def left(self, url: str, queue: str) -> int:
        """Count what a pull still brings; the emulator tells no counts."""
        found = 0
        with grpc.insecure_channel(self._broker.host) as channel:
            while received := _pull(channel, url, queue, 1000):
                found += len(received)
        return found

    def facts(self) -> dict[str, str]:
        """Where it came from."""
        return {"pubsub": f"the emulator, started anew for each measurement; {self._broker.how}"}


def _pull(channel: grpc.Channel, url: str, queue: str, most: int) -> Any:
    """Take what is there at once, and acknowledge it."""
    subscription = f"projects/{project_of(url)}/subscriptions/{queue}"
    pull = channel.unary_unary(
        f"{_PATH}.Subscriber/Pull",
        request_serializer=_Pull.SerializeToString,
        response_deserializer=_Pulled.FromString,
    )
    acknowledge = channel.unary_unary(
        f"{_PATH}.Subscriber/Acknowledge", request_serializer=_Acknowledge.SerializeToString
    )
    request = _Pull(subscription=subscription, max_messages=most, return_immediately=True)
    received = pull(request, timeout=_TIMEOUT).received_messages
    if received:
        ids = [each.ack_id for each in received]
        acknowledge(_Acknowledge(subscription=subscription, ack_ids=ids), timeout=_TIMEOUT)
    return received


def _copy(sample: Any) -> Any:
    renewed = renewing()
    attributes = {name: renewed(value) for name, value in sample.attributes.items()}
    data = renewed(sample.data.decode()).encode()
    return _Message(data=data, attributes=attributes, ordering_key=sample.ordering_key)
