"""``POST /commands``: NDJSON, each line for itself."""

import asyncio

import msgspec
import pytest

from tests.unit.http.fakes import World

ID = "0194b9a0-0000-7000-8000-00000000000a"
DATA = {"order_id": "1", "lines": []}
KIND = {"Content-Type": "application/x-ndjson"}


def line(**changes):
    return {"type": "PlaceOrder", "data": DATA, **changes}


async def send(client, *lines):
    body = b"\n".join(raw if isinstance(raw, bytes) else msgspec.json.encode(raw) for raw in lines)
    response = await client.post("/commands", content=body, headers=KIND)
    if response.headers["content-type"] != "application/x-ndjson":
        return response, response.json()
    return response, [msgspec.json.decode(part) for part in response.content.splitlines()]


async def test_lines_are_taken_in_order(client, world):
    """Each line has its answer at its place; id, key and delay go with the message."""
    response, answers = await send(client, line(id=ID, key="k", delay=5), line())
    first, second = world.commands.envelopes
    assert response.status_code == 202
    assert answers[0] == {"id": ID, "type": "PlaceOrder", "status": f"/commands/{ID}"}
    assert answers[1]["id"] == second.id
    assert (first.id, first.key, first.stamps[0].seconds) == (ID, "k", 5)


async def test_a_bad_line_fails_alone(client, world):
    """Of a bad line the problem stands at its place, and its neighbours are taken."""
    response, answers = await send(client, line(), b"{nope", line(type="X"), line(data={}), line())
    assert response.status_code == 202
    assert [answer.get("error", {}).get("status", 202) for answer in answers] == [202, 400, 404, 422, 202]
    assert answers[3]["error"]["errors"][0]["pointer"] == "/data/order_id"
    assert len(world.commands.envelopes) == 2


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"id": "x"}, "/id"),
        ({"id": 5}, "/id"),
        ({"key": ""}, "/key"),
        ({"delay": -1}, "/delay"),
        ({"delay": 1e300}, "/delay"),
        ({"delay": "x"}, "/delay"),
        ({"type": None}, "/type"),
        ({"type": "CheckStock", "data": {"sku": "a"}, "delay": 5}, "/delay"),
    ],
)
async def test_every_member_is_checked(client, changes, pointer):
    """A member that does not fit is named; a batch of which nothing is taken is 422."""
    response, (answer,) = await send(client, line(**changes))
    assert response.status_code == 422
    assert [fault["pointer"] for fault in answer["error"]["errors"]] == [pointer]


async def test_a_missing_member_is_named(client):
    """Type and data are required."""
    _, (answer,) = await send(client, {})
    assert [fault["pointer"] for fault in answer["error"]["errors"]] == ["/type", "/data"]


@pytest.mark.parametrize("body", [b"", b"\n\n", b"  \n"])
async def test_an_empty_batch_is_a_problem(client, body):
    """A batch without a line is 422."""
    response, document = await send(client, body)
    assert (response.status_code, document["status"]) == (422, 422)


async def test_blank_lines_and_line_ends_do_not_count(client):
    """Blank lines are no commands; CR LF ends a line too."""
    _, answers = await send(client, line(), b"", msgspec.json.encode(line()) + b"\r", b"")
    assert len(answers) == 2


async def test_limits_hold_for_a_line_and_for_the_whole(make_client):
    """A line past max_body fails alone; a batch past max_batch is 413 and nothing of it is taken."""
    world = World(max_body=100, max_batch=1000)
    async with make_client(world) as client:
        _, answers = await send(client, line(), line(key="x" * 100))
        assert [answer.get("error", {}).get("status") for answer in answers] == [None, 413]
        response, _ = await send(client, *[line()] * 50)
    assert response.status_code == 413
    assert len(world.commands.envelopes) == 1


async def test_lines_are_under_way_together(client, world):
    """Lines are dispatched at once, so that they share the broker's batches."""
    dispatch = world.commands.dispatch
    together = asyncio.Barrier(3)

    async def gathered(*given, **known):
        await together.wait()
        return await dispatch(*given, **known)

    world.commands.dispatch = gathered
    response, _ = await send(client, line(), line(), line())
    assert response.status_code == 202


async def test_an_inline_line_keeps_its_place(client, world):
    """A command that is handled at once runs after the lines before it and before the lines after it."""
    await send(client, line(), {"type": "CheckStock", "data": {"sku": "a"}}, line())
    assert [envelope.type for envelope in world.commands.envelopes] == [
        "PlaceOrder",
        "CheckStock",
        "PlaceOrder",
    ]


async def test_other_content_types_are_415(client):
    """A batch says what it is."""
    assert (await client.post("/commands", json=line())).status_code == 415
