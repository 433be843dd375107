"""``POST /commands/{type}`` with ``Prefer: wait=N``: the command's document in place of the bare 202."""

import asyncio

import msgspec
import pytest

from tests.unit.http.fakes import FakeStatus, World
from worker.errors import DatabaseUnavailable

ORDER = {"order_id": "7", "lines": ["a"]}
WAIT = {"Prefer": "wait=30"}


class Progress(FakeStatus):
    """Each command that is asked for goes through these states."""

    def __init__(self, *states):
        super().__init__()
        self.states = states

    async def get(self, command_id):
        if command_id not in self.known:
            self.put(command_id, *self.states)
        return await super().get(command_id)


class Gone(FakeStatus):
    async def get(self, command_id):
        raise DatabaseUnavailable("gone")


@pytest.mark.parametrize("over", ["done", "failed"])
async def test_the_answer_is_the_document_as_soon_as_the_command_is_over(make_client, over):
    """202, the command's document, where it is kept, and what was heeded."""
    async with make_client(World(status=Progress("accepted", "running", over))) as client:
        answer = await client.post("/commands/PlaceOrder", json=ORDER, headers=WAIT)
    document = answer.json()
    assert (answer.status_code, document["status"], document["attempts"]) == (202, over, 1)
    assert answer.headers["location"] == f"/commands/{document['id']}"
    assert answer.headers["preference-applied"] == "wait=30"
    assert answer.headers["x-correlation-id"]


async def test_after_the_time_it_is_the_document_as_it_stands(make_client):
    """A command that takes longer is answered as it stands."""
    async with make_client(World(status=Progress("running"))) as client:
        answer = await client.post("/commands/PlaceOrder", json=ORDER, headers={"Prefer": "wait=0"})
    assert (answer.status_code, answer.json()["status"]) == (202, "running")


async def test_the_document_is_written_as_the_caller_accepts_it(make_client):
    """MessagePack where that is preferred."""
    async with make_client(World(status=Progress("done"))) as client:
        answer = await client.post(
            "/commands/PlaceOrder", json=ORDER, headers={**WAIT, "Accept": "application/msgpack"}
        )
    assert msgspec.msgpack.decode(answer.content)["status"] == "done"


@pytest.mark.parametrize("prefer", ["respond-async", "wait", "wait=x", ""])
async def test_a_preference_that_is_not_understood_is_ignored(client, prefer):
    """As RFC 7240 says: the usual answer, at once."""
    answer = await client.post("/commands/PlaceOrder", json=ORDER, headers={"Prefer": prefer})
    assert set(answer.json()) == {"id", "type", "status"}
    assert "preference-applied" not in answer.headers


async def test_any_of_several_headers_may_say_it(make_client):
    """Preferences come in one line or in many."""
    async with make_client(World(status=Progress("done"))) as client:
        lines = [("Prefer", "wait=3"), ("Prefer", "respond-async")]
        answer = await client.post("/commands/PlaceOrder", json=ORDER, headers=lines)
    assert answer.headers["preference-applied"] == "wait=3"


async def test_a_command_whose_status_is_not_kept_is_not_waited_for(make_client):
    """With ``track=False`` there is no status to wait for: the usual answer, at once."""
    world = World(tracked=lambda declared: False)
    async with make_client(world) as client:
        answer = await client.post("/commands/PlaceOrder", json=ORDER, headers=WAIT)
    assert set(answer.json()) == {"id", "type", "status"}
    assert "preference-applied" not in answer.headers
    assert world.status.asked == 0


async def test_what_is_handled_at_once_is_answered_as_ever(client, world):
    """An inline command is over before it is answered."""
    answer = await client.post("/commands/CheckStock", json={"sku": "a"}, headers=WAIT)
    assert (answer.status_code, answer.json()["status"], world.status.asked) == (201, "done", 0)


@pytest.mark.parametrize("status", [FakeStatus(), Gone()])
async def test_a_command_that_was_taken_is_never_said_not_to_be(make_client, status):
    """While its status is not written yet, or cannot be read, it is accepted; what is unknown is null."""
    world = World(status=status)
    async with make_client(world) as client:
        answer = await client.post("/commands/PlaceOrder", json=ORDER, headers={"Prefer": "wait=0"})
    document = answer.json()
    assert (answer.status_code, document["status"], document["started_at"]) == (202, "accepted", None)
    assert document["id"] == world.commands.envelopes[0].id


async def test_a_repeat_is_one_message_and_waits_by_itself(make_client):
    """Whether the first request or its repeat waits: one id, and the document only for whom asks for it."""
    world = World(status=Progress("running", "done"))
    async with make_client(world) as client:
        key = {"Idempotency-Key": "k"}
        first = await client.post("/commands/PlaceOrder", json=ORDER, headers={**key, **WAIT})
        plain = await client.post("/commands/PlaceOrder", json=ORDER, headers=key)
        again = await client.post("/commands/PlaceOrder", json=ORDER, headers={**key, **WAIT})
    assert len(world.commands.envelopes) == 1
    assert {answer.json()["id"] for answer in (first, plain, again)} == {world.commands.envelopes[0].id}
    assert [answer.json()["status"] for answer in (first, again)] == ["done", "done"]
    assert plain.json()["status"] == first.headers["location"]
    assert again.headers["idempotency-replayed"] == "true"


async def test_a_repeat_does_not_wait_for_whom_the_first_waits(make_client):
    """The first has its answer as soon as it is taken; that it waits on holds up no other request."""
    world = World(status=Progress("running"))
    key = {"Idempotency-Key": "k"}
    async with make_client(world) as client, asyncio.timeout(30):
        first = asyncio.create_task(
            client.post("/commands/PlaceOrder", json=ORDER, headers={**key, "Prefer": "wait=60"})
        )
        while not world.ports.status.asked:
            await asyncio.sleep(0)
        assert (await client.post("/commands/PlaceOrder", json=ORDER, headers=key)).status_code == 202
        world.ports.stopping.set()
        assert (await first).status_code == 202


async def test_a_stop_answers_requests_that_wait(make_client):
    """The status as it stands, at once."""
    world = World(status=Progress("running"))
    async with make_client(world) as client, asyncio.timeout(30):
        waiting = asyncio.create_task(
            client.post("/commands/PlaceOrder", json=ORDER, headers={"Prefer": "wait=60"})
        )
        while not world.ports.status.asked:
            await asyncio.sleep(0)
        world.ports.stopping.set()
        assert (await waiting).json()["status"] == "running"
