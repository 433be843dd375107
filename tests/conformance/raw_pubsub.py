"""Google's emulator without our transport: to tell what it does itself from what we do."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from tests.conformance.waiting import PATIENCE
from transports.pubsub import wire


class Raw:
    """One topic with one subscription that keeps the order of keys; made at the first publish.

    Attributes:
        options: of the subscription.
        attributes: of each message.
    """

    def __init__(self, channel: Any, project: str) -> None:
        self._channel = channel
        self._topic, self._subscription = f"{project}/topics/orders", f"{project}/subscriptions/orders"
        self._made = False
        self.options: dict[str, Any] = {"enable_message_ordering": True}
        self.attributes: dict[str, str] = {}

    def puts_aside(self, after: int) -> None:
        """Ask that what was handed out more often is moved to the topic itself; before the first publish."""
        self.options["dead_letter_policy"] = {
            "dead_letter_topic": self._topic,
            "max_delivery_attempts": after,
        }

    async def publish(self, count: int, key: str = "") -> None:
        """Publish messages whose bodies are their numbers."""
        if not self._made:
            self._made = True
            await self._call(wire.CREATE_TOPIC, wire.Topic(name=self._topic))
            made = wire.Subscription(name=self._subscription, topic=self._topic, **self.options)
            await self._call(wire.CREATE_SUBSCRIPTION, made)
        messages = [
            wire.Message(data=b"%d" % number, ordering_key=key, attributes=self.attributes)
            for number in range(count)
        ]
        await self._call(wire.PUBLISH, wire.Publish(topic=self._topic, messages=messages))

    async def pull(self, count: int) -> list[Any]:
        """Pull until so many have come."""
        got: list[Any] = []
        async with asyncio.timeout(PATIENCE):
            while len(got) < count:
                request = wire.Pull(subscription=self._subscription, max_messages=count - len(got))
                got += (await self._call(wire.PULL, request)).received_messages
        return got

    async def acknowledge(self, received: Sequence[Any]) -> None:
        """Acknowledge, by the ids of this delivery."""
        ids = [each.ack_id for each in received]
        await self._call(wire.ACKNOWLEDGE, wire.Acknowledge(subscription=self._subscription, ack_ids=ids))

    async def postpone(self, received: Sequence[Any], seconds: int) -> None:
        """Change the deadline; 0 gives back."""
        ids = [each.ack_id for each in received]
        request = wire.ModifyDeadline(
            subscription=self._subscription, ack_ids=ids, ack_deadline_seconds=seconds
        )
        await self._call(wire.MODIFY_DEADLINE, request)

    async def _call(self, method: wire.Method, request: Any) -> Any:
        stub = self._channel.unary_unary(
            method.path,
            request_serializer=type(request).SerializeToString,
            response_deserializer=method.answer.FromString,
        )
        return await stub(request, timeout=PATIENCE)


def body(received: Any) -> bytes:
    """What a message carries."""
    return bytes(received.message.data)
