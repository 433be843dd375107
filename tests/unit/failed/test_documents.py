"""The contract's documents of failed messages."""

from __future__ import annotations

import base64

import msgspec
import pytest

from worker.errors import NotFound


def plain(document):
    return msgspec.json.decode(msgspec.json.encode(document))


async def test_a_failed_message(service, store, failure):
    """A decoded message shows its envelope and history, and no bytes."""
    await store.add([failure()])
    shown = plain(await service.show("m1"))
    envelope, history = shown.pop("envelope"), shown.pop("history")
    groups = shown.pop("groups")
    assert shown == {
        "id": "m1",
        "type": "PlaceOrder",
        "transport": "sqlite",
        "queue": "shop-place-order",
        "failed_at": "2027-01-15T08:00:00.000Z",
        "attempts": 4,
        "error": {"type": "ValueError", "message": "no"},
        "group": groups[0],
        "body_base64": None,
    }
    assert envelope["data"] == {"order_id": "order-m1", "amount": 1}
    assert envelope["specversion"] == "1.0"
    assert history == [
        {
            "attempt": 4,
            "at": "2027-01-15T08:00:00.000Z",
            "worker": "w1",
            "handler": "shop.place",
            "error": {"type": "ValueError", "message": "no", "trace": "t"},
        }
    ]


@pytest.mark.parametrize("body", [b"\xff\x00", b"[1]", b"{}", b"nonsense", b""])
async def test_what_cannot_be_read_shows_its_bytes(service, store, failure, body):
    """Bytes that are no CloudEvent are shown as received, with a null envelope and type."""
    await store.add([failure(body=body, decoded=False, type=None)])
    shown = plain(await service.show("m1"))
    assert shown["type"] is None
    assert shown["envelope"] is None
    assert base64.b64decode(shown["body_base64"]) == body


async def test_a_list_leaves_the_large_parts_out(service, store, failure):
    """A page has the total, items without envelope, bytes and history, and the cursor of the next."""
    await store.add([failure("m1", at=1.0), failure("m2", at=2.0)])
    page = plain(await service.list(limit=1))
    assert page["total"] == 2
    assert [item["id"] for item in page["items"]] == ["m2"]
    assert not {"envelope", "body_base64", "history"} & page["items"][0].keys()
    following = plain(await service.list(limit=1, after=page["next"]))
    assert ([item["id"] for item in following["items"]], following["next"]) == (["m1"], None)


async def test_groups(service, store, failure):
    """Groups name type, handler and error type, and count messages."""
    await store.add([failure("m1", at=1.0), failure("m2", at=2.0)])
    document = plain(await service.groups())
    group = document["items"][0].pop("group")
    assert document == {
        "total": 2,
        "items": [
            {
                "type": "PlaceOrder",
                "handler": "shop.place",
                "error": {"type": "ValueError"},
                "count": 2,
                "first_at": "1970-01-01T00:00:01.000Z",
                "last_at": "1970-01-01T00:00:02.000Z",
            }
        ],
    }
    assert (await service.show("m1")).group == group


async def test_an_unknown_id_is_not_found(service):
    """There is nothing to show of what is not there."""
    with pytest.raises(NotFound, match="'gone'"):
        await service.show("gone")
