"""What operators ask for is read as JSON or as MessagePack, like every other body."""

from __future__ import annotations

import msgspec
import pytest

from tests.unit.http.fakes import World

PACKED = {"Content-Type": "application/msgpack"}
ASKS = [
    ("POST", "/failed/retry", {"type": "PlaceOrder", "since": "1h"}),
    ("PUT", "/failed/m1", {"data": {"order_id": "7"}, "retry": True}),
    ("POST", "/consumers/pause", {"types": ["PlaceOrder"], "reason": "deploy", "for": 60}),
    ("POST", "/consumers/resume", {"types": ["PlaceOrder"]}),
    ("POST", "/schedules/nightly/pause", {"reason": "deploy"}),
    ("PUT", "/tokens", {"id": "shop", "metadata": {"n": 1.5}}),
]


@pytest.mark.parametrize(
    ("method", "path", "asked"), ASKS, ids=[f"{method} {path}" for method, path, _ in ASKS]
)
async def test_both_say_the_same(make_client, method, path, asked):
    """And are answered alike."""
    answers = []
    for headers, body in (
        ({"Content-Type": "application/json"}, msgspec.json.encode(asked)),
        (PACKED, msgspec.msgpack.encode(asked)),
    ):
        async with make_client(World()) as client:
            answer = await client.request(method, path, content=body, headers=headers)
            answers.append((answer.status_code, answer.headers["content-type"]))
    assert answers[0] == answers[1]
    assert answers[0][0] < 300 or answers[0][0] == 404


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"\xc1", 400),
        (b"\x81", 400),
        (b"\x91" * 100_000, 400),
        (b"\xc7\x01\x05x", 400),
        (b"\x93\x01\x02\x03", 422),
        (b"", 202),
    ],
)
async def test_what_cannot_be_read_is_told_as_of_json(client, body, status):
    """Broken, cut off, nested too deeply, of a type that JSON has not, and no object."""
    answer = await client.post("/consumers/pause", content=body, headers=PACKED)
    assert answer.status_code == status


async def test_what_is_neither_is_415_and_names_both(client):
    """In the detail and in the header."""
    answer = await client.post("/consumers/pause", content=b"<a/>", headers={"Content-Type": "text/xml"})
    assert answer.status_code == 415
    assert answer.headers["accept"] == "application/json, application/msgpack"
