"""``/failed``: the failure store over HTTP."""

import pytest

from worker.messaging.failure import Filter


async def test_filters_are_read_from_the_query_string(client, world):
    """Filters, page size and cursor reach the store."""
    response = await client.get("/failed?type=A&since=2026-01-31T12:00:00Z&limit=5&next=c")
    assert response.json()["items"][0]["id"] == world.failed.id
    assert world.failed.calls == [("list", Filter(type="A", since=1769860800.0), 5, "c")]


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ("limit=0", "/limit"),
        ("limit=x", "/limit"),
        ("limit=1001", "/limit"),
        ("since=soon", "/since"),
        ("colour=red", "/colour"),
        ("type=a&type=b", "/type"),
        ("type=%00", "/type"),
        ("next=%00", "/next"),
    ],
)
async def test_bad_filters_are_422(client, query, pointer):
    """A value that does not fit, or an unknown filter, is named."""
    response = await client.get(f"/failed?{query}")
    assert response.status_code == 422
    assert [fault["pointer"] for fault in response.json()["errors"]] == [pointer]


async def test_all_bad_filters_are_named_at_once(client):
    """What is unknown, what is given twice and what does not fit stand in one answer."""
    response = await client.get("/failed?since=soon&limit=0&colour=red&type=a&type=b")
    assert response.status_code == 422
    pointers = {fault["pointer"] for fault in response.json()["errors"]}
    assert pointers == {"/since", "/limit", "/colour", "/type"}


async def test_groups_and_one_message_are_shown(client, world):
    """Groups have their count; a message has its history."""
    assert (await client.get("/failed/groups")).json()["items"][0]["count"] == 1
    assert (await client.get(f"/failed/{world.failed.id}")).json()["history"] == []


@pytest.mark.parametrize("id", ["x", "a/b", "%00", "x" * 300])
async def test_an_unknown_message_is_404(client, id):
    """An unknown id is 404 for every method."""
    for method, path in [("GET", ""), ("DELETE", ""), ("POST", "/retry")]:
        assert (await client.request(method, f"/failed/{id}{path}")).status_code == 404
    assert (await client.put(f"/failed/{id}", json={"data": {}})).status_code == 404


async def test_one_is_put_back_and_removed(client, world):
    """Retry says how many; remove says nothing."""
    retried = await client.post(f"/failed/{world.failed.id}/retry")
    assert (retried.status_code, retried.json()) == (202, {"retried": 1})
    removed = await client.delete(f"/failed/{world.failed.id}")
    assert (removed.status_code, removed.content) == (204, b"")


async def test_many_are_put_back_by_filter(client, world):
    """The body has the filters' names; all must be said."""
    assert (await client.post("/failed/retry", json={"type": "A"})).status_code == 202
    assert (await client.post("/failed/retry", json={"ids": ["a", "b"]})).status_code == 202
    assert (await client.post("/failed/retry", json={"all": True})).status_code == 202
    assert [call[1] for call in world.failed.calls] == [Filter(type="A"), Filter(ids=("a", "b")), Filter()]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b'{"all":false}',
        b'{"all":true,"type":"A"}',
        b'{"ids":[]}',
        b'{"colour":1}',
        b'{"since":"x"}',
        b"[]",
    ],
)
async def test_an_empty_or_wrong_filter_changes_nothing(client, world, body):
    """What does not say clearly which messages is 422."""
    response = await client.post("/failed/retry", content=body)
    assert response.status_code == 422
    assert world.failed.calls == []


async def test_data_is_edited(client, world):
    """PUT replaces the data, and puts the message back when asked to."""
    path = f"/failed/{world.failed.id}"
    assert (await client.put(path, json={"data": {"a": 1}})).status_code == 200
    assert (await client.put(path, json={"data": {"a": 1}, "retry": True})).status_code == 202
    assert [call[3] for call in world.failed.calls] == [False, True]
    assert (await client.put(path, json={"data": 5})).status_code == 422
    assert (await client.put(path, json={})).json()["errors"][0]["pointer"] == "/data"
    assert (await client.put(path, content=b"{")).status_code == 400
