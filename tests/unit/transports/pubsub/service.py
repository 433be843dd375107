"""A connection that tests answer for: what a call gets is decided by the test, nothing is sent anywhere."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from typing import Any

from transports.pubsub import wire
from transports.pubsub.faults import Failed
from transports.pubsub.settings import Settings

CONFIGURED = Settings(project="p", shown="pubsub://p", emulator_host="nowhere:1", lease=60, timeout=0.5)


class FakeConnection:
    """Notes requests by method; answers with what is in line, else as a service does that has nothing."""

    def __init__(self, settings: Settings = CONFIGURED) -> None:
        self.settings = settings
        self.asked: defaultdict[str, list[Any]] = defaultdict(list)
        self.answers: defaultdict[str, list[Any]] = defaultdict(list)
        self.renewed = 0

    def next(self, method: wire.Method, *answers: Any) -> None:
        self.answers[method.path].extend(answers)

    def requests(self, method: wire.Method) -> list[Any]:
        return self.asked[method.path]

    async def call(self, method: wire.Method, request: Any, timeout: float | None = None) -> Any:
        self.asked[method.path].append(request)
        await asyncio.sleep(0)
        if self.answers[method.path]:
            answer = self.answers[method.path].pop(0)
            if isinstance(answer, Exception):
                raise answer
            return await answer if asyncio.isfuture(answer) else answer
        if method is wire.GET_SUBSCRIPTION:
            name = request.subscription.rpartition("/")[2]
            return wire.Subscription(
                topic=f"projects/p/topics/{name}", enable_message_ordering=name == "keyed"
            )
        if method is wire.PULL and not request.return_immediately:
            await asyncio.get_running_loop().create_future()
        if method is wire.PUBLISH:
            return wire.Published(message_ids=map(str, range(len(request.messages))))
        return method.answer()

    pull = call

    def renew_pulls(self) -> None:
        self.renewed += 1


def failure(code: str, *, doubtful: bool = False, **reasons: str) -> Failed:
    return Failed(f"pubsub://p: {code}", code, doubtful=doubtful, reasons=reasons)


def pulled(*bodies: bytes, key: str = "", attempt: int = 1, start: int = 0) -> Any:
    """What a pull brings: messages whose ids and acknowledgement ids are their bodies'."""
    answer = wire.Pulled()
    for body in bodies:
        message = wire.Message(data=body, ordering_key=key, attributes={"message-id": body.decode()})
        answer.received_messages.add(ack_id=f"ack-{body.decode()}", message=message, delivery_attempt=attempt)
    return answer
