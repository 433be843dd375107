"""Types and members that are not known, where failed messages are chosen and edited."""

from __future__ import annotations

import pytest

from worker.errors import InvalidMessage
from worker.messaging.failure import Filter


@pytest.mark.parametrize("what", ["list", "retry_many", "remove_many"])
async def test_a_type_that_nobody_knows_is_an_error(service, store, failure, what):
    """A misspelt type chooses nothing, and that would look like success; the near name is said."""
    await store.add([failure()])
    with pytest.raises(InvalidMessage, match="did you mean 'PlaceOrder'") as caught:
        await getattr(service, what)(Filter(type="PlaceOrdr"))
    assert [fault.pointer for fault in caught.value.faults] == ["/type"]
    assert await store.count(Filter()) == 1


async def test_a_type_that_is_only_in_the_store_is_known(service, store, failure):
    """Its declaration is gone, its failed messages are not."""
    await store.add([failure(type="Gone")])
    assert (await service.list(Filter(type="Gone"))).total == 1
    assert await service.remove_many(Filter(type="Gone")) == 1


@pytest.mark.parametrize("name", ["PlaceOrder", "PutOrder"])
async def test_a_type_is_chosen_by_any_of_its_names(service, store, failure, name):
    """What was read has its own name in the store, what could not be read the one that it came with."""
    await store.add(
        [failure("read"), failure("unread", type="PutOrder", body=b"{}"), failure("other", type="Gone")]
    )
    assert {item.id for item in (await service.list(Filter(type=name))).items} == {"read", "unread"}
    assert await service.remove_many(Filter(type=name)) == 2
    assert (await service.list()).total == 1


@pytest.mark.parametrize("what", ["list", "retry_many", "remove_many"])
async def test_every_place_that_nobody_knows_is_an_error(service, store, failure, what):
    """Transport and queue as the type: what is neither configured nor in the store is refused, all at once."""
    await store.add([failure()])
    with pytest.raises(InvalidMessage, match="did you mean 'rabbitmq'") as caught:
        await getattr(service, what)(
            Filter(type="Nope", transport="rabitmq", queue="shop-palce-order", group="x")
        )
    assert [fault.pointer for fault in caught.value.faults] == ["/type", "/transport", "/queue", "/group"]
    assert await store.count(Filter()) == 1


async def test_a_place_that_is_only_in_the_store_is_known(service, store, failure):
    """It is configured no more, its failed messages are still there."""
    await store.add([failure(transport="old", queue="old-queue")])
    assert (await service.list(Filter(transport="old", queue="old-queue"))).total == 1


async def test_a_configured_place_without_failures_is_known(service):
    """Nothing has failed there: that is an answer."""
    assert (await service.list(Filter(transport="rabbitmq", queue="shop-place-order"))).total == 0


@pytest.mark.parametrize("group", ["", "xyz", "5B6C00000000", "5b6c0000000", "5b6c000000001", "'; --", "*"])
async def test_a_group_that_can_be_none_is_an_error(service, group):
    """A key is 12 hexadecimal digits; a well-formed one whose messages are all gone chooses nothing."""
    with pytest.raises(InvalidMessage, match="12 hexadecimal digits"):
        await service.list(Filter(group=group))
    assert (await service.list(Filter(group="5b6c00000000"))).total == 0


async def test_an_edit_with_a_member_that_the_type_does_not_have_is_refused(service, store, failure):
    """It is mostly misspelt; the row stays as it was."""
    await store.add([failure()])
    before = (await store.get("m1")).failure.body
    with pytest.raises(InvalidMessage, match="did you mean 'amount'"):
        await service.edit("m1", {"order_id": "8", "amuont": 2})
    assert (await store.get("m1")).failure.body == before
