"""The relay: what committed handlers left is sent in order, until a broker has confirmed it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from typing import Any

import pytest
from msgspec.structs import replace

from tests.unit.runtime.house import until
from worker.errors import DatabaseUnavailable, TransportUnavailable
from worker.messaging.parcel import OutboxRow
from worker.messaging.sender import Sender
from worker.messaging.transport import ACCEPTED, Features, Outcome, OutcomeKind, Outgoing
from worker.runtime import relay as module
from worker.runtime.relay import Relay

REFUSED = Outcome(OutcomeKind.REFUSED, "too large")
UNROUTABLE = Outcome(OutcomeKind.UNROUTABLE)
UNKNOWN = Outcome(OutcomeKind.UNKNOWN, "no answer")


class FakeOutbox:
    def __init__(self, *rows: tuple[int, str]) -> None:
        self.rows = [
            OutboxRow(seq, name, Outgoing(queue="q", id=f"m{seq}", type="Go", body=b"{}"))
            for seq, name in rows
        ]
        self.released: list[str] = []
        self.postponed: list[tuple[int, float]] = []
        self.faults: list[Exception] = []

    async def claim(
        self, worker: str, limit: int, lease: float, transports: Sequence[str] | None = None
    ) -> list[OutboxRow]:
        if self.faults:
            raise self.faults.pop(0)
        return [row for row in self.rows if transports is None or row.transport in transports][:limit]

    async def remove(self, seqs: Sequence[int]) -> None:
        self.rows = [row for row in self.rows if row.seq not in seqs]

    async def postpone(self, seqs: Sequence[int], longest: float) -> None:
        self.postponed += [(seq, longest) for seq in seqs]

    async def release(self, worker: str) -> None:
        self.released.append(worker)

    def left(self) -> list[int]:
        return [row.seq for row in self.rows]


class FakeBroker:
    def __init__(self, name: str) -> None:
        self.name = name
        self.features = Features()
        self.taken: list[str] = []
        self.asked: list[str] = []
        self.answers: dict[str, Outcome] = {}
        self.down = False

    async def publish(self, batch: Sequence[Outgoing]) -> list[Outcome]:
        if self.down:
            raise TransportUnavailable("down")
        self.asked += [one.id for one in batch]
        outcomes = [self.answers.get(one.id, ACCEPTED) for one in batch]
        self.taken += [one.id for one, outcome in zip(batch, outcomes, strict=True) if outcome.accepted]
        return outcomes


class Post:
    """A relay over rows, with two brokers."""

    def __init__(self, *rows: tuple[int, str]) -> None:
        self.outbox = FakeOutbox(*rows)
        self.a, self.b = FakeBroker("a"), FakeBroker("b")
        senders: Any = {"a": Sender(self.a), "b": Sender(self.b)}  # type: ignore[arg-type]
        self.refused: list[str] = []
        self.store_down = False
        self.relay = Relay(self.outbox, senders, "me", self.keep)

    async def keep(self, transport: str, outgoing: Outgoing, detail: str) -> None:
        if self.store_down:
            raise DatabaseUnavailable("down")
        self.refused.append(f"{transport} {outgoing.id} {detail}")


async def test_rows_leave_in_order_and_are_forgotten() -> None:
    """Each transport gets its rows in the order of their commits; confirmed ones are removed."""
    post = Post((1, "a"), (2, "b"), (3, "a"), (4, "a"))
    assert await post.relay.send_some() == 4
    assert (post.a.taken, post.b.taken) == (["m1", "m3", "m4"], ["m2"])
    assert post.outbox.left() == []
    assert await post.relay.send_some() == 0


async def test_a_row_that_fails_keeps_those_behind_it() -> None:
    """What follows a row that was not taken stays with it; other transports' rows go."""
    post = Post((1, "a"), (2, "a"), (3, "a"), (4, "b"))
    post.a.answers["m2"] = UNROUTABLE
    assert await post.relay.send_some() == 2
    assert post.outbox.left() == [2, 3]
    assert post.b.taken == ["m4"]


async def test_a_row_delayed_for_too_long_is_put_aside() -> None:
    """What its broker cannot keep that long waits in the outbox for its time; those behind it go."""
    post = Post((1, "a"), (2, "a"))
    first = post.outbox.rows[0]
    post.outbox.rows[0] = replace(first, outgoing=replace(first.outgoing, delay=20.0))
    post.relay._senders["a"].longest = 10.0
    assert await post.relay.send_some() == 1
    assert post.outbox.postponed == [(1, 10.0)]
    assert post.a.taken == ["m2"]


async def test_a_row_that_is_refused_for_good_is_kept_elsewhere() -> None:
    """What its broker will never take leaves the outbox with the reason, and those behind it go."""
    post = Post((1, "a"), (2, "a"), (3, "a"))
    post.a.answers["m2"] = REFUSED
    await post.relay.send_some()
    assert post.refused == ["a m2 too large"]
    assert post.a.taken == ["m1", "m3"]
    assert post.outbox.left() == []


async def test_a_refused_row_that_cannot_be_kept_stays() -> None:
    """While the failure store does not answer it waits; what was sent before it is not sent twice."""
    post = Post((1, "a"), (2, "a"))
    post.a.answers["m2"] = REFUSED
    post.store_down = True
    await post.relay.send_some()
    assert post.outbox.left() == [2]


async def test_an_unknown_outcome_is_sent_again_under_the_same_id() -> None:
    """A row of which it is not known whether it was sent stays, and is published once more as the same message."""
    post = Post((1, "a"))
    post.a.answers["m1"] = UNKNOWN
    assert await post.relay.send_some() == 0
    assert post.outbox.left() == [1]
    post.a.answers.clear()
    assert await post.relay.send_some() == 1
    assert post.a.asked == ["m1", "m1"]
    assert post.outbox.left() == []


async def test_a_broker_that_is_down_does_not_hold_up_another() -> None:
    """Rows of a transport that does not answer stay; those of another leave all the same."""
    post = Post((1, "a"), (2, "b"))
    post.a.down = True
    with pytest.raises(TransportUnavailable):
        await post.relay.send_some()
    assert post.b.taken == ["m2"]
    assert post.outbox.left() == [1]


@pytest.mark.parametrize("stuck", ["down", "unroutable"])
async def test_a_backlog_of_one_broker_does_not_hold_up_another(stuck: str) -> None:
    """The rows for one broker may be more than a batch, and older than all others: rows for other brokers leave beside them."""
    behind = range(module.BATCH * 2 + 1, module.BATCH * 4)
    post = Post(
        *((number, "a") for number in range(1, module.BATCH * 2 + 1)), *((number, "b") for number in behind)
    )
    post.a.down = stuck == "down"
    post.a.answers["m1"] = UNROUTABLE
    with contextlib.suppress(TransportUnavailable):
        await post.relay.send_some()
    assert post.b.taken == [f"m{number}" for number in behind]
    assert post.outbox.left() == list(range(1, module.BATCH * 2 + 1))


async def test_rows_of_a_transport_that_is_not_open_here_stay() -> None:
    """Another process, which has that transport open, sends them."""
    post = Post((1, "c"), (2, "a"))
    await post.relay.send_some()
    assert post.outbox.left() == [1]


async def test_draining_sends_all_and_lets_go() -> None:
    """``drain`` sends what there is, then releases what is claimed."""
    post = Post(*((number, "a") for number in range(1, 451)))
    await post.relay.drain(5.0)
    assert post.outbox.left() == []
    assert len(post.a.taken) == 450
    assert post.outbox.released == ["me"]


async def test_draining_gives_up_on_an_outage() -> None:
    """``drain`` raises nothing when a broker is down; the rows stay for later."""
    post = Post((1, "a"))
    post.a.down = True
    await post.relay.drain(5.0)
    assert post.outbox.left() == [1]


@pytest.mark.parametrize("fault", [TransportUnavailable("down"), RuntimeError("a bug")])
async def test_it_goes_on_after_anything(fault: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    """An outage, or an unforeseen fault, does not end the relay: later rows leave."""
    monkeypatch.setattr(module, "SWEEP", 0.01)
    post = Post((1, "a"))
    post.outbox.faults.append(fault)
    task = asyncio.create_task(post.relay.run())
    await until(lambda: post.outbox.left() == [])
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_a_commit_wakes_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """``notify`` has new rows sent without waiting for the next sweep."""
    monkeypatch.setattr(module, "SWEEP", 600.0)
    post = Post((1, "a"))
    task = asyncio.create_task(post.relay.run())
    await until(lambda: post.outbox.left() == [])
    post.outbox.rows = FakeOutbox((2, "a")).rows
    post.relay.notify()
    await until(lambda: post.outbox.left() == [])
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
