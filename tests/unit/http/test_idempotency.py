"""``Idempotency-Key``: one answer and one message for a key."""

import asyncio

import pytest

from tests.unit.http.fakes import World
from worker.errors import DatabaseUnavailable, PublishFailed

ORDER = {"order_id": "7", "lines": []}
KEY = {"Idempotency-Key": "k1"}


async def test_a_repeat_gets_the_same_answer(client, world):
    """The same key and body make one message, and the answers are equal."""
    first = await client.post("/commands/PlaceOrder", json=ORDER, headers=KEY)
    again = await client.post("/commands/PlaceOrder", json=ORDER, headers=KEY)
    assert (first.status_code, first.content) == (again.status_code, again.content)
    assert first.headers["location"] == again.headers["location"]
    assert len(world.commands.envelopes) == 1


async def test_another_body_is_refused(client, world):
    """The same key with another body is 422."""
    await client.post("/commands/PlaceOrder", json=ORDER, headers=KEY)
    response = await client.post("/commands/PlaceOrder", json={**ORDER, "amount": 2}, headers=KEY)
    assert response.status_code == 422
    assert response.json()["type"].endswith("idempotency-key-reused")
    assert len(world.commands.envelopes) == 1


async def test_a_key_belongs_to_its_path(client, world):
    """The same key on another path is another key."""
    await client.post("/commands/PlaceOrder", json=ORDER, headers=KEY)
    assert (await client.post("/commands/CheckStock", json={"sku": "a"}, headers=KEY)).status_code == 201


async def test_a_failure_is_not_remembered_and_keeps_the_id(client, world):
    """A repeat after an outage is tried again, under the same message id."""
    world.commands.fails = PublishFailed("?", unknown=True)
    assert (await client.post("/commands/PlaceOrder", json=ORDER, headers=KEY)).status_code == 503
    world.commands.fails = None
    assert (await client.post("/commands/PlaceOrder", json=ORDER, headers=KEY)).status_code == 202
    assert len({envelope.id for envelope in world.commands.envelopes}) == 1


async def test_a_first_request_under_way_is_409(client, world):
    """A repeat that waited long enough for the first answer is told to come back."""
    entered, go_on = asyncio.Event(), asyncio.Event()
    dispatch = world.commands.dispatch

    async def slow(*given, **known):
        entered.set()
        await go_on.wait()
        return await dispatch(*given, **known)

    world.commands.dispatch = slow
    first = asyncio.create_task(client.post("/commands/PlaceOrder", json=ORDER, headers=KEY))
    await entered.wait()
    response = await client.post("/commands/PlaceOrder", json=ORDER, headers=KEY)
    assert (response.status_code, response.headers["retry-after"]) == (409, "1")
    go_on.set()
    assert (await first).status_code == 202


async def test_a_repeat_waits_for_the_first_answer(make_client):
    """A repeat while the first is under way gets the first one's answer."""
    world = World(wait=10.0)
    dispatch, begin = world.commands.dispatch, world.idempotency.begin
    entered, go_on = asyncio.Event(), asyncio.Event()
    asked = 0

    async def slow(*given, **known):
        entered.set()
        await go_on.wait()
        return await dispatch(*given, **known)

    async def counted(*given):
        nonlocal asked
        asked += 1
        if asked == 3:
            go_on.set()
        return await begin(*given)

    world.commands.dispatch, world.idempotency.begin = slow, counted
    async with make_client(world) as client:
        first = asyncio.create_task(client.post("/commands/PlaceOrder", json=ORDER, headers=KEY))
        await entered.wait()
        again = await client.post("/commands/PlaceOrder", json=ORDER, headers=KEY)
        assert again.content == (await first).content
    assert len(world.commands.envelopes) == 1


async def test_a_message_that_is_out_is_not_denied(client, world):
    """When the answer cannot be remembered the caller still gets it: the message is out."""

    async def fails(*given):
        raise DatabaseUnavailable("gone")

    world.idempotency.finish = fails
    assert (await client.post("/commands/PlaceOrder", json=ORDER, headers=KEY)).status_code == 202


@pytest.mark.parametrize("key", ["", "x" * 256, "a\tb", "\u00e4".encode()])
async def test_a_bad_key_is_refused(client, world, key):
    """An empty, long or unprintable key is 422."""
    response = await client.post("/commands/PlaceOrder", json=ORDER, headers={"Idempotency-Key": key})
    assert response.status_code == 422
    assert world.commands.envelopes == []


async def test_a_batch_has_keys_too(client, world):
    """A repeated batch makes no second messages; its ids follow from the key's."""
    body = b'{"type":"PlaceOrder","data":{"order_id":"1","lines":[]}}\n' * 2
    headers = {**KEY, "Content-Type": "application/x-ndjson"}
    first = await client.post("/commands", content=body, headers=headers)
    again = await client.post("/commands", content=body, headers=headers)
    assert first.content == again.content
    assert len(world.commands.envelopes) == 2


async def test_a_repeat_waits_no_longer_than_the_intake_runs(make_client):
    """It is told that the first request is under way when the intake stops."""
    world = World(wait=60.0)
    entered = asyncio.Event()

    async def never(*_given, **_more):
        entered.set()
        await asyncio.Event().wait()

    world.commands.dispatch = never
    async with make_client(world) as client, asyncio.timeout(30):
        first = asyncio.create_task(client.post("/commands/PlaceOrder", json=ORDER, headers=KEY))
        await entered.wait()
        again = asyncio.create_task(client.post("/commands/PlaceOrder", json=ORDER, headers=KEY))
        await asyncio.sleep(0)
        world.ports.stopping.set()
        assert (await again).status_code == 409
        first.cancel()
        await asyncio.gather(first, return_exceptions=True)
