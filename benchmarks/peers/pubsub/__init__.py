"""Google's clients of Pub/Sub by themselves; what they share."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import grpc.aio
from google.api_core.exceptions import AlreadyExists
from google.pubsub_v1 import PublisherAsyncClient, SubscriberAsyncClient
from google.pubsub_v1.services.publisher.transports import PublisherGrpcAsyncIOTransport
from google.pubsub_v1.services.subscriber.transports import SubscriberGrpcAsyncIOTransport

from benchmarks.peers.task import Task

EMULATOR = "PUBSUB_EMULATOR_HOST"
MOST = 1000
"""Messages that a pull asks for; the emulator gives a hundred."""

BATCH = 100
"""Messages of one publish."""

LANES = 8
"""Publishes under way at once."""


def project_of(url: str) -> str:
    """The project of a ``pubsub://project``."""
    return url.removeprefix("pubsub://")


def topic_of(task: Task) -> str:
    """Full name."""
    return f"projects/{project_of(task.url)}/topics/{task.queue}"


def subscription_of(task: Task) -> str:
    """Full name."""
    return f"projects/{project_of(task.url)}/subscriptions/{task.queue}"


@asynccontextmanager
async def opened(wrapper: Any, transport: Any) -> AsyncIterator[Any]:
    """An asyncio client on the emulator, which it does not look for by itself."""
    channel = grpc.aio.insecure_channel(os.environ[EMULATOR])
    async with channel:
        yield wrapper(transport=transport(channel=channel))


def publishing() -> Any:
    """The asyncio publisher."""
    return opened(PublisherAsyncClient, PublisherGrpcAsyncIOTransport)


def subscribing() -> Any:
    """The asyncio subscriber."""
    return opened(SubscriberAsyncClient, SubscriberGrpcAsyncIOTransport)


async def declare(task: Task) -> None:
    """Make the topic and its subscription."""
    with suppress(AlreadyExists):
        async with publishing() as client:
            await client.create_topic(name=topic_of(task))
    with suppress(AlreadyExists):
        async with subscribing() as client:
            await client.create_subscription(
                name=subscription_of(task), topic=topic_of(task), ack_deadline_seconds=60
            )
