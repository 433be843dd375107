"""Settlement: a copy is made first, then the original is acked; what cannot be copied is given back."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from sqlalchemy import text

from tests.unit.runtime.going import Go, fails, read, shop, stored
from tests.unit.runtime.house import House, house, until
from worker import (
    Context,
    DatabaseUnavailable,
    Recoverable,
    Reject,
    Retry,
    TransportUnavailable,
    Unrecoverable,
)
from worker.errors import PublishFailed
from worker.messaging.envelope import Envelope
from worker.runtime.settling.recurrence import TIMES


async def test_a_broker_that_swaps_is_asked_for_one_step() -> None:
    """Where the transport replaces, a retry is one settlement and nothing is published."""
    async with house(shop(fails)) as it:
        (message_id,) = await it.send(Go())
        it.log.clear()
        await it.run(burst=True)
        assert it.log == [("again", message_id)]
        it.clock.advance(1)
        assert (await read(it)).attempt == 2


async def test_the_copy_goes_before_the_ack() -> None:
    """Where the transport does not replace, the next attempt is published and confirmed before the original is acked."""
    async with house(shop(fails)) as it:
        it.without_replaces()
        (message_id,) = await it.send(Go())
        it.log.clear()
        await it.run(burst=True)
        assert it.log == [("publish", message_id), ("ack", message_id)]
        assert it.outcomes() == ["retrying"]


async def test_what_cannot_be_copied_is_given_back() -> None:
    """A publish that fails acks nothing: the original is released, its attempt not charged."""
    async with house(shop(fails)) as it:
        it.without_replaces()
        (message_id,) = await it.send(Go())
        it.log.clear()
        it.publish_fault = TransportUnavailable("gone")
        await it.run(burst=True)
        assert it.log == [("release", message_id)]
        assert it.outcomes() == ["returned"]
        it.clock.advance(1)
        assert (await read(it)).attempt == 1


async def test_a_next_attempt_that_is_refused_for_good_is_stored() -> None:
    """A copy that the broker will never take ends in the store, with the reason; given back, it would come for ever."""
    async with house(shop(fails)) as it:
        it.without_replaces()
        (message_id,) = await it.send(Go())
        it.log.clear()
        it.publish_fault = PublishFailed("the body has 11 bytes, the limit is 10", refused=True)
        await it.run(burst=True)
        assert it.log == [("ack", message_id)]
        assert it.outcomes() == ["failed"]
        (row,) = await stored(it)
        assert (row.failure.id, row.failure.attempts) == (message_id, 1)
        assert [attempt.error_type for attempt in row.failure.history] == ["OSError", "PublishFailed"]


async def test_retries_wait_longer_and_end_in_the_store() -> None:
    """Retries follow the policy's delays; after the last the message is stored with its history, then acked."""
    async with house(shop(fails)) as it:
        (message_id,) = await it.send(Go())
        for seconds in (1, 2):
            await it.run(burst=True)
            it.clock.advance(seconds - 0.5)
            assert await it.waiting("shop-go") == []
            it.clock.advance(0.5)
        await it.run(burst=True)
        assert it.outcomes() == ["retrying", "retrying", "failed"]
        (row,) = await stored(it)
        assert row.failure.id == message_id
        assert row.failure.attempts == 3
        assert [(a.attempt, a.error_type, a.error_message) for a in row.failure.history] == [
            (number, "OSError", "broken") for number in (1, 2, 3)
        ]
        assert "raise OSError" in row.failure.history[0].trace
        assert it.log[-1] == ("ack", message_id)


@pytest.mark.parametrize("error", [Unrecoverable("no"), Reject("no")])
async def test_what_no_retry_can_help_is_stored_at_once(error: Exception) -> None:
    """``Unrecoverable`` and ``Reject`` are stored at the first attempt."""

    async def go(command: Go) -> None:
        raise error

    async with house(shop(go)) as it:
        await it.send(Go())
        await it.run(burst=True)
        assert it.outcomes() == ["failed"]
        assert [row.failure.attempts for row in await stored(it)] == [1]


async def test_a_recoverable_names_its_own_delay() -> None:
    """``Recoverable(delay=…)`` comes again after exactly that, though the policy allows no retry."""

    async def go(command: Go) -> None:
        raise Recoverable("later", delay=50)

    async with house(shop(go, retry=Retry(max_retries=0))) as it:
        await it.send(Go())
        await it.run(burst=True)
        it.clock.advance(49)
        assert await it.waiting("shop-go") == []
        it.clock.advance(1)
        assert (await read(it)).attempt == 2


async def test_one_handler_gives_up_and_another_is_retried() -> None:
    """The message ends in the store with both histories; the one that gave up is not run again."""
    ran: list[str] = []

    async def final(command: Go) -> None:
        ran.append("final")
        raise Unrecoverable("never")

    async def shaky(command: Go, context: Context) -> None:
        ran.append("shaky")
        if context.attempt < 2:
            raise OSError("not yet")

    async with house(shop(final, shaky)) as it:
        await it.send(Go())
        await it.run(burst=True)
        it.clock.advance(1)
        await it.run(burst=True)
        assert ran == ["final", "shaky", "shaky"]
        assert it.outcomes() == ["retrying", "failed"]
        (row,) = await stored(it)
        assert {a.error_type for a in row.failure.history} == {"Unrecoverable", "OSError"}
        envelope = it.service.sending.serializer.decode(row.failure.body)
        assert isinstance(envelope, Envelope)
        assert [type(stamp).__name__ for stamp in envelope.stamps] == ["Handled"]


async def test_an_outage_charges_no_attempt() -> None:
    """A handler that meets an outage gives its message back: the same attempt, a moment later."""

    async def go(command: Go) -> None:
        raise DatabaseUnavailable("gone")

    async with house(shop(go)) as it:
        (sent,) = await it.send(Go())
        await it.run(burst=True)
        assert it.outcomes() == ["returned"]
        shown = await it.service.status.standing.get(sent)
        assert shown is not None
        assert shown.status == "accepted"
        it.clock.advance(1)
        assert (await read(it)).attempt == 1
        assert await stored(it) == []


async def outcomes_of(it: House, number: int) -> list[str]:
    """Let a message come to one worker as often as that, at once each time; how it ended."""
    await it.send(Go())
    task = it.start()
    await until(lambda: len(it.finished) >= number)
    assert it.worker is not None
    it.worker.stop()
    await task
    return it.outcomes()[:number]


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> Retry:
    """Nothing is held back."""
    monkeypatch.setattr("worker.runtime.settling.judge.RETURN_DELAY", 0.0)
    return Retry(2, 0.0, jitter=0)


async def gone(command: Go) -> None:
    """Ends its own connection each time, say."""
    raise DatabaseUnavailable("gone")


async def test_an_outage_that_only_one_message_meets_is_its_own_failure(at_once: Retry) -> None:
    """While everything answers, every fifth in a row charges it with an attempt: it must not come for ever."""
    async with house(shop(gone, retry=at_once)) as it:
        given_back = ["returned"] * (TIMES - 1)
        expected = [*given_back, "retrying", *given_back, "retrying", *given_back, "failed"]
        assert await outcomes_of(it, len(expected)) == expected
        (row,) = await stored(it)
        assert {attempt.error_type for attempt in row.failure.history} == {"DatabaseUnavailable"}
        assert row.failure.attempts == 3


@pytest.mark.broker
@pytest.mark.parametrize("way", ["ends its session", "closes its connection"])
async def test_a_handler_that_ends_its_own_connection_is_charged(
    at_once: Retry, postgres_url: str, way: str
) -> None:
    """PostgreSQL is there for all others; the handler's message ends in the failure store."""

    async def go(command: Go, context: Context) -> None:
        if way == "ends its session":
            await context.session.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))
        else:
            raw = await (await context.session.connection()).get_raw_connection()
            await raw.driver_connection.close()
        await context.session.execute(text("SELECT 1"))

    retry = msgspec.structs.replace(at_once, max_retries=0)
    async with house(shop(go, retry=retry), database=postgres_url) as it:
        assert await outcomes_of(it, TIMES) == [*["returned"] * (TIMES - 1), "failed"]
        (row,) = await stored(it)
        assert row.failure.history[0].error_type == "DatabaseUnavailable"


async def test_an_outage_that_is_one_charges_nothing_however_long_it_lasts(at_once: Retry) -> None:
    """Where the database or a broker does not answer; what was counted before does not count."""
    calls = 0

    async def go(command: Go) -> None:
        nonlocal calls
        calls += 1
        raise DatabaseUnavailable("gone")

    async def ping() -> None:
        if TIMES <= calls < 3 * TIMES:
            raise DatabaseUnavailable("gone")

    async with house(shop(go, retry=at_once)) as it:
        it.service.state.database.ping = ping  # type: ignore[method-assign]
        expected = [*["returned"] * (3 * TIMES + TIMES - 3), "retrying"]
        assert await outcomes_of(it, len(expected)) == expected


async def test_a_database_that_answers_and_takes_no_writes_charges_nothing(at_once: Retry) -> None:
    """As where its disk is full: the attempt's history cannot be kept, so the outage is believed."""

    async def full(*_: Any) -> None:
        raise DatabaseUnavailable("full")

    async with house(shop(gone, retry=at_once)) as it:
        it.service.state.failures.note = full  # type: ignore[method-assign]
        assert set(await outcomes_of(it, 3 * TIMES)) == {"returned"}


@pytest.mark.parametrize(
    "body", [b"\xff\x00 no json", b'{"specversion":"1.0","type":"Nobody","id":"a","source":"s"}']
)
async def test_what_cannot_be_read_is_stored_unchanged(body: bytes) -> None:
    """An undecodable message is stored byte for byte, and the queue flows on."""

    async def go(command: Go) -> None: ...

    async with house(shop(go)) as it:
        await it.put("shop-go", body, "odd")
        await it.send(Go())
        await it.run(burst=True)
        assert sorted(it.outcomes()) == ["done", "failed"]
        (row,) = await stored(it)
        assert row.failure.body == body
        assert not row.failure.decoded


async def test_a_stale_replay_is_dropped() -> None:
    """A second copy of a replayed message whose row is gone is acked and not handled again."""
    ran: list[Go] = []
    broken = True

    async def go(command: Go) -> None:
        if broken:
            raise Reject("no")
        ran.append(command)

    async with house(shop(go)) as it:
        (message_id,) = await it.send(Go())
        await it.run(burst=True)
        broken = False
        await it.service.failed.retry([message_id])
        (delivery,) = await it.waiting("shop-go")
        it.clock.advance(it.broker.lease + 1)
        await it.run(burst=True)
        assert ran == [Go()]
        await it.put("shop-go", delivery.body, message_id)
        await it.run(burst=True)
        assert ran == [Go()]
        assert await it.waiting("shop-go") == []
        assert await stored(it) == []


async def test_a_failure_store_that_is_down_loses_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """While the store does not answer, what should enter it is given back."""

    async def go(command: Go) -> None:
        raise Reject("no")

    async def down(added: Any) -> None:
        raise DatabaseUnavailable("gone")

    async with house(shop(go)) as it:
        (message_id,) = await it.send(Go())
        with monkeypatch.context() as patched:
            patched.setattr(it.service.state.failures, "add", down)
            await it.run(burst=True)
        assert it.log[-1] == ("release", message_id)
        assert it.outcomes() == ["returned"]
        it.clock.advance(1)
        await it.run(burst=True)
        assert [row.failure.id for row in await stored(it)] == [message_id]
