"""Settlement's log lines say which message they are about; what a broker refuses is the handler's failure."""

from __future__ import annotations

import msgspec
from structlog.testing import capture_logs

from tests.unit.runtime.house import house
from worker import App, PublishFailed, Retry


class Go(msgspec.Struct, frozen=True):
    number: int = 0


def shop(error: Exception) -> App:
    app = App("shop")
    app.command(retry=Retry(1, 1.0, jitter=0))(Go)

    async def fails(command: Go) -> None:
        raise error

    app.handler(fails)
    return app


async def test_lines_name_message_and_queue() -> None:
    """Retried, then failed: each line has type, id, correlation_id, attempt, transport and queue."""
    async with house(shop(OSError("broken"))) as it:
        (message_id,) = await it.send(Go(), correlation_id="abc")
        with capture_logs() as lines:
            await it.run(burst=True)
            it.clock.advance(2)
            await it.run(burst=True)
        about = [
            {name: line[name] for name in ("type", "id", "correlation_id", "attempt", "transport", "queue")}
            for line in lines
            if line["event"].startswith(("handler failed", "message failed"))
        ]
        same = {
            "type": "Go", "id": message_id, "correlation_id": "abc", "transport": "memory", "queue": "shop-go",
        }  # fmt: skip
        assert about == [{**same, "attempt": 1}, {**same, "attempt": 2}]


async def test_what_a_broker_refuses_is_no_outage() -> None:
    """A handler whose own message is too large fails by the retry policy; it is not given back for ever."""
    async with house(shop(PublishFailed("too large", refused=True))) as it:
        await it.send(Go())
        await it.run(burst=True)
        it.clock.advance(2)
        await it.run(burst=True)
        assert [done.outcome for done in it.finished] == ["retrying", "failed"]
