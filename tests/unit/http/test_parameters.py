"""Query strings: what an endpoint reads is done, and what it does not read is refused."""

from __future__ import annotations

import pytest

from tests.unit.http.fakes import FakeFailed
from worker import Delay
from worker.http.endpoints import ENDPOINTS

DATA = {"order_id": "1", "lines": []}
TYPES = {"command": "PlaceOrder", "query": "Search"}


async def test_a_command_takes_delay_and_key(client, world):
    """``?delay=SECONDS&key=KEY``."""
    response = await client.post("/commands/PlaceOrder?delay=2.5&key=k", json=DATA)
    (envelope,) = world.commands.envelopes
    assert response.status_code == 202
    assert (envelope.key, envelope.get(Delay).seconds) == ("k", 2.5)


@pytest.mark.parametrize(
    ("query", "pointers"),
    [
        ("dealy=3", ["/dealy"]),
        ("foo=2", ["/foo"]),
        ("foo=2&bar", ["/bar", "/foo"]),
        ("delay=x", ["/delay"]),
        ("delay=nan", ["/delay"]),
        ("delay=inf", ["/delay"]),
        ("delay=-1", ["/delay"]),
        ("delay=1e300", ["/delay"]),
        ("delay=1_0", ["/delay"]),
        ("delay=", ["/delay"]),
        ("delay=1&delay=2", ["/delay"]),
        ("key=", ["/key"]),
        ("key=a%00b", ["/key"]),
        ("key=" + "k" * 1025, ["/key"]),
        ("a/b~=1", ["/a~1b~0"]),
    ],
)
async def test_any_other_parameter_of_a_command_is_422(client, world, query, pointers):
    """Every fault is named, and nothing is sent."""
    response = await client.post(f"/commands/PlaceOrder?{query}", json=DATA)
    assert response.status_code == 422
    assert sorted(fault["pointer"] for fault in response.json()["errors"]) == pointers
    assert world.commands.envelopes == []


async def test_parameters_and_body_are_told_together(client):
    """All faults, not the first."""
    response = await client.post("/commands/PlaceOrder?foo=2", json={"order_id": 1, "x": 1})
    pointers = sorted(fault["pointer"] for fault in response.json()["errors"])
    assert pointers == ["/foo", "/lines", "/order_id", "/x"]


async def test_what_is_handled_at_once_takes_no_delay(client):
    """It is handled before the answer."""
    response = await client.post("/commands/CheckStock?delay=5", json={"sku": "a"})
    assert response.status_code == 422


async def test_a_message_whose_own_key_has_nul_is_422_and_names_the_field(client, world):
    """No broker has to keep it; it is not too large."""
    response = await client.post("/commands/PlaceOrder", json={**DATA, "order_id": "a\0b"})
    assert response.status_code == 422
    assert [fault["pointer"] for fault in response.json()["errors"]] == ["/order_id"]
    assert world.commands.envelopes == []


async def test_another_query_string_is_another_request(client):
    """An idempotency key belongs to what was asked for, the delay included."""
    headers = {"Idempotency-Key": "k"}
    assert (await client.post("/commands/PlaceOrder?delay=1", json=DATA, headers=headers)).status_code == 202
    assert (await client.post("/commands/PlaceOrder?delay=2", json=DATA, headers=headers)).status_code == 422


PROBES = ("/", "/livez", "/readyz")
CALLS = [
    (one.method, one.template.replace("{type}", TYPES.get(one.each, "")).replace("{id}", FakeFailed.id))
    for one in ENDPOINTS
    if one.path not in PROBES
]


@pytest.mark.parametrize(("method", "path"), [*CALLS, ("HEAD", "/failed/groups")])
async def test_a_parameter_that_the_endpoint_does_not_read_is_422(client, world, method, path):
    """The caller meant something by it, so nothing is done."""
    body = DATA if path == "/commands/PlaceOrder" else None
    response = await client.request(method, f"{path}?foo=2", json=body)
    assert response.status_code == 422
    if method != "HEAD":
        assert "/foo" in [fault["pointer"] for fault in response.json()["errors"]]
    assert world.failed.calls == []
    assert world.commands.envelopes == []


@pytest.mark.parametrize("path", PROBES)
async def test_a_probe_answers_whatever_stands_behind_its_path(client, path):
    """It says what the process is, not what its caller mistyped."""
    assert (await client.get(f"{path}?verbose")).status_code == 200


async def test_a_lone_question_mark_says_nothing(client):
    """Nor does a lone sign behind it."""
    assert (await client.get("/consumers?&=")).status_code == 200
