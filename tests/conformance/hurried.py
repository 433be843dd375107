"""Pub/Sub made quick: its shortest deadline is ten seconds, here what was pulled is held for fewer."""

from __future__ import annotations

from typing import Any

from transports.pubsub import wire
from transports.pubsub.settings import Settings
from transports.pubsub.transport import PubsubTransport


class HurriedPubsub(PubsubTransport):
    """Shortens the deadline of what was pulled, as soon as it has come, to ``lease`` seconds."""

    def __init__(self, name: str, configured: Settings, lease: int) -> None:
        super().__init__(name, configured)
        self.lease = float(lease)
        pull = self.connection.pull

        async def hurried(method: wire.Method, request: Any, timeout: float) -> Any:
            """Pull, and change the deadlines."""
            answer = await pull(method, request, timeout)
            if method is wire.PULL and answer.received_messages:
                ids = [each.ack_id for each in answer.received_messages]
                change = wire.ModifyDeadline(
                    subscription=request.subscription, ack_ids=ids, ack_deadline_seconds=lease
                )
                await self.connection.call(wire.MODIFY_DEADLINE, change)
            return answer

        self.connection.pull = hurried  # type: ignore[method-assign]
