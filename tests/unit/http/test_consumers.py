"""``/consumers``: pausing and resuming over HTTP."""

import asyncio
from types import SimpleNamespace

import pytest

from tests.unit.http.fakes import World
from worker.errors import DatabaseUnavailable, Guarded
from worker.messaging.consumers import PauseConsumers, ResumeConsumers


async def test_a_pause_is_a_command_of_the_bus(client, world):
    """What the body says reaches the command; the answer names version, types, and which were not so before."""
    body = {"types": ["PlaceOrder"], "reason": "stock", "for": 60, "shared": True}
    response = await client.post("/consumers/pause", json=body)
    answer = {"version": 7, "types": ["PlaceOrder"], "changed": ["PlaceOrder"]}
    assert (response.status_code, response.json()) == (202, answer)
    assert world.commands.envelopes == [
        PauseConsumers(types=("PlaceOrder",), reason="stock", seconds=60.0, shared=True, actor="http")
    ]


@pytest.mark.parametrize("sent", [{}, {"json": {}}, {"json": {"types": []}}])
async def test_no_types_are_all(client, world, sent):
    """Without a body, without types, with an empty list."""
    assert (await client.post("/consumers/pause", **sent)).status_code == 202
    assert (await client.post("/consumers/resume", **sent)).status_code == 202
    assert world.commands.envelopes == [PauseConsumers(actor="http"), ResumeConsumers(actor="http")]


async def test_an_unknown_type_is_400_and_says_which(client, world):
    """Nothing reaches the store."""
    response = await client.post("/consumers/pause", json={"types": ["PlaceOrder", "Nope"]})
    assert response.status_code == 400
    assert "'Nope'" in response.json()["detail"]
    assert world.commands.envelopes == []


async def test_types_that_would_be_held_too_are_409(client, world):
    """The answer names them."""
    world.commands.fails = Guarded("A shares queue q with B, which would be held too")
    response = await client.post("/consumers/pause", json={"types": ["PlaceOrder"]})
    assert response.status_code == 409
    assert "with B" in response.json()["detail"]


@pytest.mark.parametrize(
    "body", [{"for": 0}, {"for": "soon"}, {"types": "PlaceOrder"}, {"kinds": ["queries"]}, {"typ": []}]
)
async def test_what_does_not_fit_is_422(client, body):
    """Each value that does not fit is named."""
    response = await client.post("/consumers/pause", json=body)
    assert response.status_code == 422
    assert response.json()["errors"]


async def test_it_waits_for_the_workers_when_asked_to(client):
    """With ``Prefer: wait=N`` the answer says which workers have applied it."""
    response = await client.post("/consumers/pause", headers={"Prefer": "wait=5"})
    assert response.json()["applied"] == "1/1"
    assert response.json()["lagging"] == []
    assert response.headers["Preference-Applied"] == "wait=5"


async def test_a_database_that_does_not_answer_is_503(client, world):
    """A pause is stored or refused."""
    world.commands.fails = DatabaseUnavailable("gone")
    assert (await client.post("/consumers/pause")).status_code == 503


async def test_its_wait_ends_when_the_intake_stops(world, make_client):
    """The answer says which workers have applied it by then."""
    asked = []

    async def applied(version, seconds):
        asked.append(seconds)
        if seconds:
            await asyncio.Event().wait()
        return SimpleNamespace(share="1/2", lagging=("b",))

    world = World(applied=applied)
    async with make_client(world) as client, asyncio.timeout(30):
        waiting = asyncio.create_task(client.post("/consumers/pause", headers={"Prefer": "wait=60"}))
        while not asked:
            await asyncio.sleep(0)
        world.ports.stopping.set()
        response = await waiting
    assert (response.status_code, response.json()["applied"], asked) == (202, "1/2", [60.0, 0.0])


@pytest.mark.parametrize("reason", ["a\0b", "x" * 4097])
@pytest.mark.parametrize("what", ["pause", "resume"])
async def test_a_reason_that_no_database_can_keep_is_422(client, world, what, reason):
    """NUL, and a book."""
    response = await client.post(f"/consumers/{what}", json={"types": ["PlaceOrder"], "reason": reason})
    assert response.status_code == 422
    assert response.json()["errors"][0]["pointer"] == "/reason"
    assert world.commands.envelopes == []
