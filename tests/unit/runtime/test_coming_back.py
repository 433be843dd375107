"""What comes back is what came: retries and the failure store keep what this version does not know."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import pytest

from tests.unit.runtime.going import Go, fails, shop, stored
from tests.unit.runtime.house import House, Watched, house
from worker import CallNext, Envelope, Retry, TransportUnavailable
from worker.messaging.transport import Delivery, Outgoing

DATA = b'{ "new": {"n": 1.0, "e": 1e3} , "number":7}'
EVENT = b'{"specversion":"1.0","newextension":"n","id":"m1","type":"Go","dataversion":2,"data":' + DATA + b"}"


def raw(body: bytes) -> dict[str, msgspec.Raw]:
    return msgspec.json.decode(body, type=dict[str, msgspec.Raw])


async def body_of(it: House) -> bytes:
    (delivery,) = await it.waiting("shop-go")
    return delivery.body


@pytest.mark.parametrize("replaces", [True, False])
async def test_a_retry_keeps_the_data_and_what_nobody_knows(replaces: bool) -> None:
    """Where the broker swaps a message, and where a copy is made."""
    async with house(shop(fails)) as it:
        if not replaces:
            it.without_replaces()
        await it.put("shop-go", EVENT, "m1")
        await it.run(burst=True)
        it.clock.advance(1)
        assert raw(await body_of(it)) == {**raw(EVENT), "attempt": msgspec.Raw(b"2")}


async def test_a_key_that_only_the_broker_knows_stays() -> None:
    """A producer in another language may give it with the record and not in the event: order by key holds in retries."""
    async with house(shop(fails, retry=Retry(max_retries=1, jitter=0))) as it:
        await it.broker.publish([Outgoing(queue="shop-go", id="m1", type="Go", body=EVENT, key="k")])
        await it.run(burst=True)
        it.clock.advance(10)
        assert [delivery.key for delivery in await it.waiting("shop-go")] == ["k"]
        it.clock.advance(100)
        await it.run(burst=True)
        (row,) = await stored(it)
        assert row.failure.key == "k"


async def test_a_middleware_that_replaces_the_message_sees_the_original_again() -> None:
    """It runs anew with each attempt: what comes back is what was sent, not what it made of it."""
    app = shop(fails)

    async def other(envelope: Envelope[Any], call_next: CallNext) -> Envelope[Any]:
        return await call_next(envelope.with_message(Go(99)))

    app.middleware(on="consume", messages=[Go])(other)
    async with house(app) as it:
        await it.put("shop-go", EVENT, "m1")
        await it.run(burst=True)
        it.clock.advance(1)
        assert raw(await body_of(it))["data"] == msgspec.Raw(DATA)


async def test_what_an_outage_gives_back_with_a_copy_is_as_it_came() -> None:
    """A handler that meets an outage charges nothing and changes nothing."""

    async def go(command: Go) -> None:
        raise TransportUnavailable("away")

    async with house(shop(go)) as it:
        await it.put("shop-go", EVENT, "m1")
        await it.run(burst=True)
        it.clock.advance(1)
        assert raw(await body_of(it)) == raw(EVENT)


async def test_the_failure_store_keeps_it_too() -> None:
    """The envelope is shown with the members that this application does not know."""
    async with house(shop(fails, retry=Retry(max_retries=0))) as it:
        await it.put("shop-go", EVENT, "m1")
        await it.run(burst=True)
        (row,) = await stored(it)
        assert raw(row.failure.body) == raw(EVENT)
        shown = await it.service.failed.show("m1")
        assert shown.envelope == msgspec.json.decode(EVENT)


async def test_binary_mode_comes_back_as_the_same_event(monkeypatch: pytest.MonkeyPatch) -> None:
    """In structured mode, with all its attributes and the bytes of its data."""
    headers = {"ce_id": "m1", "ce_type": "Go", "ce_newextension": "n", "content-type": "application/json"}
    receive = Watched.receive

    async def in_binary_mode(self: Watched, limit: int, wait: float) -> Sequence[Delivery]:
        return [
            msgspec.structs.replace(d, body=DATA, headers=headers) for d in await receive(self, limit, wait)
        ]

    monkeypatch.setattr(Watched, "receive", in_binary_mode)
    async with house(shop(fails)) as it:
        await it.put("shop-go", EVENT, "m1")
        await it.run(burst=True)
        it.clock.advance(1)
        assert msgspec.json.decode(await body_of(it)) == {
            "specversion": "1.0", "id": "m1", "type": "Go", "newextension": "n", "attempt": 2,
            "datacontenttype": "application/json", "data": msgspec.json.decode(DATA),
        }  # fmt: skip


async def test_what_cannot_be_read_in_binary_mode_is_kept_with_its_attributes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """And with the bytes that came; other headers are not kept."""
    headers = {"ce_id": "m1", "ce_type": "Newer", "ce_newextension": "n", "authorization": "secret"}
    receive = Watched.receive

    async def in_binary_mode(self: Watched, limit: int, wait: float) -> Sequence[Delivery]:
        return [
            msgspec.structs.replace(d, body=DATA, headers=headers) for d in await receive(self, limit, wait)
        ]

    monkeypatch.setattr(Watched, "receive", in_binary_mode)
    async with house(shop(fails)) as it:
        await it.put("shop-go", EVENT, "m1")
        await it.run(burst=True)
        (row,) = await stored(it)
        del headers["authorization"]
        assert (row.failure.id, row.failure.type, row.failure.body) == ("m1", "Newer", DATA)
        assert row.failure.headers == headers
