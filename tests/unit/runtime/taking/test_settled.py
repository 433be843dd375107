"""A broker that does not take an ack hands the message out again: what was handled here is only acknowledged again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import pytest

from tests.unit.runtime.house import House, Watched, house
from worker import App, Context, Retry
from worker.messaging.transport import Ack, Delivery, Release, Settled, Settlement
from worker.runtime.taking.settled import HandledBefore


class Late(Watched):
    """Takes the first ack of each message for too late, and hands it out again."""

    def __init__(self, inner: Any, log: list[tuple[str, str]]) -> None:
        super().__init__(inner, log)
        self.late: set[bytes] = set()

    async def receive(self, limit: int, wait: float) -> Sequence[Delivery]:
        got = await super().receive(limit, wait)
        return [msgspec.structs.replace(one, redelivered=one.body in self.late) for one in got]

    async def settle(self, items: Sequence[Settlement]) -> Sequence[Settled]:
        answers: list[Settled] = []
        for item in items:
            if isinstance(item, Ack) and item.delivery.body not in self.late:
                self.late.add(item.delivery.body)
                await super().settle([Release(item.delivery)])
                answers.append(Settled.LOST)
            else:
                answers += await super().settle([item])
        return answers


class Go(msgspec.Struct, frozen=True):
    number: int = 0


@pytest.fixture
def begun() -> list[int]:
    return []


@pytest.fixture
def app(begun: list[int]) -> App:
    app = App("shop")
    app.command(retry=Retry(max_retries=1, delay=0.0))(Go)

    @app.handler
    async def go(command: Go, context: Context) -> None:
        begun.append(context.attempt)
        if command.number and context.attempt == 1:
            raise ValueError("not the first time")

    return app


def makes_late(it: House) -> None:
    async def subscribe(spec: Any, *, slots: int) -> Late:
        return Late(await it._subscribe(spec, slots=slots), it.log)

    it.broker.subscribe = subscribe


async def test_what_was_handled_is_not_handled_again(app: App, begun: list[int]) -> None:
    """A handler that takes longer than its broker waits for an ack would run for ever, again and again."""
    async with house(app) as it:
        makes_late(it)
        await it.send(Go(), Go())
        await it.run(burst=True)
        assert (begun, it.outcomes()) == ([1, 1], ["done", "done"])
        assert [what for what, _ in it.log if what != "publish"].count("ack") == 2


async def test_a_next_attempt_is_no_repeat(app: App, begun: list[int]) -> None:
    """It has the id of the attempt before, whose ack came too late, and is handled."""
    async with house(app) as it:
        it.without_replaces()
        makes_late(it)
        await it.send(Go(1))
        await it.run(burst=True)
        assert (begun, it.outcomes()) == ([1, 2], ["retrying", "done"])


async def test_what_could_not_be_read_is_looked_at_again(app: App) -> None:
    """Somebody may put its bytes back as they are, to have them read by a later version."""
    async with house(app) as it:
        makes_late(it)
        await it.put("shop-go", b"no json", "m1")
        await it.run(burst=True)
        assert it.outcomes() == ["failed", "failed"]


def delivery(id: str, *, redelivered: bool = True) -> Delivery:
    return Delivery(queue="q", id=id, body=b"", receipt=None, redelivered=redelivered)


def test_only_so_many_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    """The oldest is forgotten: memory has an end."""
    monkeypatch.setattr("worker.runtime.taking.settled._REMEMBERED", 2)
    before = HandledBefore()
    one, two, three = (delivery(name) for name in "abc")
    for each in (one, two, three):
        before.note(each)
    assert before.among([one, two, three]) == [two, three]


def test_another_message_with_the_same_bytes_is_handled() -> None:
    """One that was not handed out before is none that was handled, be its id the same or none; nor is the next."""
    before = HandledBefore()
    before.note(delivery(""))
    assert before.among([delivery("", redelivered=False)]) == []
    assert before.among([delivery(""), delivery("")]) == [delivery("")]
    assert before.among([delivery("")]) == []
