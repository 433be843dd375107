"""Idempotency keys: one answer and one message for each, through crashes."""

from __future__ import annotations

import asyncio

import pytest

from worker.errors import Guarded
from worker.messaging.idempotency import Answer, Finished, Fresh, InProgress, Key, Mismatch, Repeat
from worker.state.idempotency import SqlIdempotency, finish_with

KEY = Key("shop", "/commands/PlaceOrder", "k1")
ANSWER = Answer(202, (("location", "/commands/1"),), b'{"id":"1"}')


@pytest.fixture
def keys(database):
    return SqlIdempotency(database)


async def test_the_same_answer_for_the_same_request(keys, database):
    """A repeat gets the first answer, also from another process."""
    begun = await keys.begin(KEY, b"{}", "id-1")
    assert isinstance(begun, Fresh) and begun.message_id == "id-1"
    await keys.finish(KEY, begun.claim, ANSWER)
    assert await SqlIdempotency(database).begin(KEY, b"{}", "id-2") == Repeat(ANSWER)


async def test_another_body_is_a_mismatch(keys):
    """A key stands for one body, under way or answered."""
    begun = await keys.begin(KEY, b"{}", "id-1")
    assert await keys.begin(KEY, b"[]", "id-2") == Mismatch()
    await keys.finish(KEY, begun.claim, ANSWER)
    assert await keys.begin(KEY, b"[]", "id-2") == Mismatch()


async def test_a_key_belongs_to_its_caller_and_path(keys):
    """The same text of another caller or on another path is another key."""
    await keys.begin(KEY, b"{}", "id-1")
    for other in (
        Key("bank", KEY.path, "k1"),
        Key("shop", "/commands/Other", "k1"),
        Key("shop", KEY.path, "k2"),
    ):
        assert isinstance(await keys.begin(other, b"{}", "id-2"), Fresh)


async def test_a_repeat_meanwhile_is_in_progress(keys):
    """While the first request is under way its repeat is told so."""
    await keys.begin(KEY, b"{}", "id-1")
    assert await keys.begin(KEY, b"{}", "id-2") == InProgress()


async def test_of_many_at_once_one_goes_on(keys, database):
    """Requests with one key that arrive at the same time, in two processes, have one winner."""
    other = SqlIdempotency(database)
    begun = await asyncio.gather(*((keys, other)[n % 2].begin(KEY, b"{}", f"id-{n}") for n in range(10)))
    assert sum(isinstance(one, Fresh) for one in begun) == 1
    assert sum(isinstance(one, InProgress) for one in begun) == 9


async def test_after_a_crash_the_message_keeps_its_id(keys, clock):
    """When the first request died, its repeat goes on after the lease, under the id that may be out already."""
    first = await keys.begin(KEY, b"{}", "id-1")
    clock.advance(31.0)
    assert await keys.begin(KEY, b"[]", "id-3") == Mismatch()
    again = await keys.begin(KEY, b"{}", "id-2")
    assert again.message_id == "id-1"
    assert again.claim != first.claim
    assert await keys.begin(KEY, b"{}", "id-2") == InProgress()


async def test_who_lost_its_claim_ends_nothing(keys, clock):
    """A request that was given up for dead neither answers nor releases what another goes on with."""
    first = await keys.begin(KEY, b"{}", "id-1")
    clock.advance(31.0)
    second = await keys.begin(KEY, b"{}", "id-2")
    await keys.abandon(KEY, first.claim)
    await keys.finish(KEY, first.claim, ANSWER)
    assert await keys.begin(KEY, b"{}", "id-3") == InProgress()
    await keys.finish(KEY, second.claim, ANSWER)
    assert await keys.begin(KEY, b"{}", "id-3") == Repeat(ANSWER)


async def test_what_was_not_answered_well_may_be_repeated(keys):
    """An abandoned key goes on at once: the same body as the same message, another body as another."""
    first = await keys.begin(KEY, b"{}", "id-1")
    await keys.abandon(KEY, first.claim)
    second = await keys.begin(KEY, b"{}", "id-2")
    assert second.message_id == "id-1"
    await keys.abandon(KEY, second.claim)
    third = await keys.begin(KEY, b"[]", "id-3")
    assert third.message_id == "id-3"


async def test_keys_are_forgotten_after_a_day(keys, clock):
    """After 24 hours a key is new again, pruned or not."""
    begun = await keys.begin(KEY, b"{}", "id-1")
    await keys.finish(KEY, begun.claim, ANSWER)
    clock.advance(86_399.0)
    assert await keys.prune() == 0
    assert isinstance(await keys.begin(KEY, b"{}", "id-2"), Repeat)
    clock.advance(2.0)
    assert (await keys.begin(KEY, b"[]", "id-2")).message_id == "id-2"
    clock.advance(86_401.0)
    assert await keys.prune() == 1


async def test_a_key_that_has_been_answered_is_not_given_back(keys):
    """What was answered with a commit stays so, whatever became of the request afterwards."""
    begun = await keys.begin(KEY, b"{}", "id-1")
    await keys.finish(KEY, begun.claim, ANSWER)
    await keys.abandon(KEY, begun.claim)
    assert await keys.begin(KEY, b"{}", "id-2") == Repeat(ANSWER)


async def test_an_answer_holds_if_and_only_if_its_transaction_is_committed(keys, database):
    """A key is finished together with what it is about."""
    begun = await keys.begin(KEY, b"{}", "id-1")
    with pytest.raises(RuntimeError):
        async with database.begin_write() as transaction:
            await finish_with(transaction, Finished(KEY, begun.claim, ANSWER))
            raise RuntimeError
    assert await keys.begin(KEY, b"{}", "id-2") == InProgress()
    async with database.begin_write() as transaction:
        await finish_with(transaction, Finished(KEY, begun.claim, ANSWER))
    assert await keys.begin(KEY, b"{}", "id-2") == Repeat(ANSWER)


async def test_who_has_lost_a_claim_may_not_commit_under_it(keys, database):
    """The next that went on with the key is the one that may."""
    await keys.begin(KEY, b"{}", "id-1")
    with pytest.raises(Guarded, match="another request"):
        async with database.begin_write() as transaction:
            await finish_with(transaction, Finished(KEY, "lost", ANSWER))
