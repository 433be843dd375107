"""Copies of what a broker keeps in memory: kept until it is done with, and sent again in order when it is lost."""

from __future__ import annotations

import pytest

from tests.unit.state.parcels import parcel
from worker.messaging.copies import Copied, mark_of
from worker.messaging.transport import Outgoing
from worker.state.copies import SqlCopies
from worker.state.outbox import Outbox, keep


@pytest.fixture
def copies(database):
    return SqlCopies(database)


@pytest.fixture
def outbox(database):
    return Outbox(database)


def message(id, body=b"1", queue="q"):
    return Outgoing(queue=queue, id=id, type="T", body=body, key="k", content_type="text/plain")


async def sent(outbox):
    return [row.outgoing for row in await outbox.claim("w", 10, 30.0)]


async def test_what_a_queue_has_lost_is_sent_again_once_as_it_was_and_in_order(copies, outbox):
    await copies.keep("jobs", [message("b"), message("a")])
    assert await copies.send_again("jobs", "q", await copies.now()) == 2
    assert await copies.send_again("jobs", "q", await copies.now()) == 0
    assert await sent(outbox) == [message("b"), message("a")]


async def test_nothing_else_is_sent_again(copies, clock):
    """Not another queue's or transport's, and not what was published after the loss was noticed."""
    await copies.keep("jobs", [message("other", queue="r")])
    await copies.keep("others", [message("other")])
    before = await copies.now()
    clock.advance(1.0)
    await copies.keep("jobs", [message("later")])
    assert await copies.send_again("jobs", "q", before) == 0


async def test_what_is_done_with_is_not_sent_again_but_its_next_attempt_is(copies, outbox):
    await copies.keep("jobs", [message("a", b"first"), message("b")])
    await copies.keep("jobs", [message("a", b"second")])
    await copies.drop("jobs", [Copied("q", "a", mark_of(b"first")), Copied("q", "b", mark_of(b"1"))])
    await copies.send_again("jobs", "q", await copies.now())
    assert [(one.id, one.body) for one in await sent(outbox)] == [("a", b"second")]


async def test_what_is_parked_for_its_next_attempt_is_not_sent_twice(copies, outbox, database):
    async with database.begin_write() as transaction:
        await keep(transaction, "m", [parcel("a")], database.clock(), "", 0.0)
    await copies.keep("jobs", [message("a")])
    await copies.send_again("jobs", "q", await copies.now())
    assert [one.body for one in await sent(outbox)] == [b"{}"]


async def test_what_is_older_than_any_broker_keeps_it_is_forgotten(copies, clock):
    await copies.keep("jobs", [message("old")])
    clock.advance(100.0)
    await copies.keep("jobs", [message("new")])
    assert await copies.prune(50.0) == 1
    assert await copies.send_again("jobs", "q", await copies.now()) == 1
