"""``GET /commands/{id}``: where a command stands."""

import asyncio

import httpx
import pytest

ID = "0194b9a0-0000-7000-8000-00000000000a"


async def test_a_status_is_the_document(client, world):
    """A known command answers the command document."""
    world.status.put(ID, "running")
    document = (await client.get(f"/commands/{ID}")).json()
    assert (document["id"], document["status"], document["error"], document["paused"]) == (
        ID,
        "running",
        None,
        False,
    )


@pytest.mark.parametrize("id", [ID, "x", "%00", "%ff", "0" * 5000])
async def test_an_unknown_id_is_404(client, world, id):
    """An unknown id is 404, and what is no id is not even looked for."""
    answer = await client.get(f"/commands/{id}")
    assert answer.status_code == 404
    assert ("would be a UUID" in answer.json()["detail"]) == (id != ID)
    assert world.status.asked == (id == ID)


async def test_waiting_ends_when_the_command_is_over(client, world):
    """``Prefer: wait`` answers as soon as the command is done."""
    world.status.put(ID, "accepted", "running", "done")
    response = await client.get(f"/commands/{ID}", headers={"Prefer": "respond-async, wait=30"})
    assert response.json()["status"] == "done"
    assert response.headers["preference-applied"] == "wait=30"


async def test_waiting_ends_with_the_time(client, world):
    """When the time is over the status is answered as it stands."""
    world.status.put(ID, "running")
    response = await client.get(f"/commands/{ID}", headers={"Prefer": "wait=0"})
    assert response.json()["status"] == "running"


@pytest.mark.parametrize("value", ["wait", "wait=x", "wait=-1", "wait=1e9", "foo"])
async def test_an_unclear_wait_is_no_wait(client, world, value):
    """A preference that cannot be read is ignored."""
    world.status.put(ID, "running")
    response = await client.get(f"/commands/{ID}", headers={"Prefer": value})
    assert "preference-applied" not in response.headers


async def test_a_client_that_goes_away_ends_the_wait(world):
    """Waiting ends when the client goes away."""
    world.status.put(ID, "running")
    sent = []

    async def receive():
        return {"type": "http.disconnect"}

    async def send(message):
        sent.append(message)

    scope = {
        "type": "http",
        "method": "GET",
        "path": f"/commands/{ID}",
        "query_string": b"",
        "headers": [(b"host", b"localhost"), (b"prefer", b"wait=60")],
        "client": ("127.0.0.1", 1),
    }
    async with asyncio.timeout(30):
        await world.app(scope, receive, send)
    assert sent == []


async def test_a_status_that_was_not_written_yet_is_waited_for(client, world):
    """With ``Prefer: wait`` an id that is not known yet is asked for again."""
    get = world.status.get

    async def later(id):
        if world.status.asked == 2:
            world.status.put(ID, "done")
        return await get(id)

    world.status.get = later
    response = await client.get(f"/commands/{ID}", headers={"Prefer": "wait=5"}, timeout=httpx.Timeout(10))
    assert response.json()["status"] == "done"


async def test_a_wait_ends_when_the_intake_stops(client, world):
    """A request that waits gets the status as it stands, and does not hold up the stop."""
    world.status.put(ID, "running")
    waiting = asyncio.create_task(client.get(f"/commands/{ID}", headers={"Prefer": "wait=60"}))
    while not world.status.asked:
        await asyncio.sleep(0)
    world.ports.stopping.set()
    async with asyncio.timeout(30):
        response = await waiting
    assert (response.status_code, response.json()["status"]) == (200, "running")
