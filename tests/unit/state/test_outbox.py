"""The outbox: order, claims and delays."""

from __future__ import annotations

import pytest

from tests.unit.state.parcels import parcel
from worker.messaging.transport import Outgoing
from worker.state.outbox import Outbox, keep


@pytest.fixture
def outbox(database):
    return Outbox(database)


@pytest.fixture
def commit(database):
    """Commits what a handler sent, as the unit of work does."""

    async def do(origin, *parcels, worker="", lease=0.0):
        async with database.begin_write() as transaction:
            await keep(transaction, origin, parcels, database.clock(), worker, lease)

    return do


def ids(rows):
    return [row.outgoing.id for row in rows]


async def test_rows_come_in_the_order_of_commits(outbox, commit):
    """Rows are handed out oldest first, and only so many."""
    await commit("m1", parcel("a"), parcel("b"))
    await commit("m2", parcel("c"))
    assert ids(await outbox.claim("w1", 2, 30.0)) == ["a", "b"]
    assert ids(await outbox.pending(10)) == ["a", "b", "c"]


async def test_a_claimed_row_is_not_given_to_another(outbox, commit, clock):
    """While a claim lasts no other process is given the row; afterwards any process is."""
    await commit("m1", parcel("a"))
    assert ids(await outbox.claim("w1", 10, 30.0)) == ["a"]
    assert ids(await outbox.claim("w2", 10, 30.0)) == []
    assert ids(await outbox.claim("w1", 10, 30.0)) == ["a"]
    clock.advance(31.0)
    assert ids(await outbox.claim("w2", 10, 30.0)) == ["a"]


async def test_order_is_kept_between_two_relays(outbox, commit):
    """No process gets a row while another one holds an earlier row of the same message or ordering key."""
    await commit("m1", parcel("a"), parcel("b"))
    await commit("m2", parcel("c", key="k"))
    await commit("m3", parcel("d", key="k"))
    await commit("m4", parcel("e"))
    assert ids(await outbox.claim("w1", 1, 30.0)) == ["a"]
    assert ids(await outbox.claim("w2", 1, 30.0)) == ["c"]
    assert ids(await outbox.claim("w3", 10, 30.0)) == ["e"]


async def test_a_stopping_worker_leaves_its_rows_to_others(outbox, commit):
    """Released rows can be claimed at once."""
    await commit("m1", parcel("a"), worker="w1", lease=30.0)
    assert await outbox.claim("w2", 10, 30.0) == []
    await outbox.release("w1")
    assert ids(await outbox.claim("w2", 10, 30.0)) == ["a"]


async def test_a_delay_counts_from_the_commit(outbox, commit, clock):
    """What is left of a delay is what is published, never less than nothing."""
    await commit("m1", parcel("a", delay=10.0))
    clock.advance(4.0)
    assert (await outbox.claim("w1", 10, 1.0))[0].outgoing.delay == pytest.approx(6.0)
    clock.advance(60.0)
    assert (await outbox.claim("w1", 10, 1.0))[0].outgoing.delay == 0.0


async def test_what_has_no_delay_leaves_at_once_whatever_two_clocks_say(outbox, commit, clock):
    """One process's clock may be ahead of another's by half of a slow answer: a burst would end before that time."""
    await commit("m1", parcel("a"), worker="w1", lease=30.0)
    clock.advance(-0.5)
    assert (await outbox.claim("w1", 10, 30.0))[0].outgoing.delay == 0.0


async def test_sent_rows_are_removed(outbox, commit):
    """A row is gone once it was sent."""
    await commit("m1", parcel("a"), parcel("b"))
    rows = await outbox.claim("w1", 10, 30.0)
    await outbox.remove([rows[0].seq])
    await outbox.remove([])
    assert ids(await outbox.pending(10)) == ["b"]
    assert await outbox.count() == 1


async def test_only_open_transports_are_asked_for(outbox, commit):
    """Rows of a transport that a process has not opened do not stand in the way of others."""
    await commit("m1", parcel("a", transport="kafka"))
    await commit("m2", parcel("b", transport="sqlite"))
    assert ids(await outbox.claim("w1", 1, 30.0, ["sqlite"])) == ["b"]


async def test_rows_of_transports_that_nobody_here_has_are_told_apart(outbox, commit):
    """They are not counted among what this process sends, and are named by what they wait for."""
    await commit("m1", parcel("a", transport="gone"), parcel("b", transport="gone"))
    await commit("m2", parcel("c", transport="sqlite"))
    assert (await outbox.count(), await outbox.count(["sqlite"])) == (3, 1)
    assert await outbox.stranded(["sqlite"]) == {"gone": 2}
    assert await outbox.stranded(["gone", "sqlite"]) == {}


async def test_old_rows_can_be_looked_for(outbox, commit, clock):
    """Rows that wait for long are found by age."""
    await commit("m1", parcel("a"))
    clock.advance(60.0)
    await commit("m2", parcel("b"))
    assert ids(await outbox.pending(10, older_than=30.0)) == ["a"]


def outgoing(id, delay=100.0, body=b"{}", **facts):
    return Outgoing(queue="q", id=id, type="Go", body=body, delay=delay, **facts)


async def test_what_is_parked_waits_until_its_broker_can_keep_the_rest(outbox, clock):
    """A parked message is handed out when no more than the broker's longest delay is left, and not before."""
    await outbox.park("kafka", [outgoing("a", delay=100.0)], 30.0)
    clock.advance(69.0)
    assert ids(await outbox.claim("w1", 10, 30.0)) == []
    clock.advance(2.0)
    (row,) = await outbox.claim("w1", 10, 30.0)
    assert (row.transport, row.outgoing.id) == ("kafka", "a")
    assert row.outgoing.delay == pytest.approx(29.0)


async def test_what_is_parked_is_in_nobodys_way(outbox, commit, clock):
    """Rows of the same key are sent meanwhile, and a burst does not wait for what is not due."""
    await outbox.park("t", [outgoing("a", key="k")], 30.0)
    await commit("m1", parcel("b", key="k"))
    assert await outbox.count() == 1
    assert ids(await outbox.claim("w1", 10, 30.0)) == ["b"]
    assert await outbox.parked() == {("t", "q"): 1}
    clock.advance(71.0)
    assert (await outbox.count(), await outbox.parked()) == (2, {})


async def test_a_later_attempt_takes_the_parked_ones_place(outbox, clock):
    """The same id parked again replaces the row; a process that was sending the old one does not remove the new one."""
    await outbox.park("t", [outgoing("a", body=b"1")], 30.0)
    clock.advance(71.0)
    (old,) = await outbox.claim("w1", 10, 30.0)
    await outbox.park("t", [outgoing("a", body=b"2")], 30.0)
    await outbox.remove([old.seq])
    assert [row.outgoing.body for row in await outbox.pending(10)] == [b"2"]


async def test_a_committed_row_can_be_postponed(outbox, commit, clock):
    """A handler's long-delayed message joins those that wait for their time."""
    await commit("m1", parcel("a", delay=100.0), parcel("b"), worker="w1", lease=30.0)
    first, _ = await outbox.claim("w1", 10, 30.0)
    await outbox.postpone([first.seq], 30.0)
    assert ids(await outbox.claim("w2", 10, 30.0)) == []
    clock.advance(31.0)
    assert ids(await outbox.claim("w2", 10, 60.0)) == ["b"]
    clock.advance(40.0)
    assert ids(await outbox.claim("w3", 10, 30.0)) == ["a"]
