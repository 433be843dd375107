"""Laws of a message that goes on: what comes back is what came, but for what its way has changed."""

from __future__ import annotations

import json
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

import worker
from worker.messaging.envelope import Envelope
from worker.messaging.serializer import Serializer
from worker.messaging.stamps import Abandoned, Handled, Replay

app = worker.App("shop")


@app.command
class PlaceOrder(msgspec.Struct, frozen=True):
    order_id: str
    price: float = 0.0


class Shelf(worker.Stamp):
    value: str
    level: int = 0


@app.handler
async def place_order(command: PlaceOrder) -> None: ...


SERIALIZER = Serializer(app.registry(), [Shelf])
KNOWN = {"specversion", "id", "type", "data", "attempt", "stamps"}
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
ANY = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**30), 10**30) | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)  # fmt: skip
WRITTEN = st.sampled_from(
    [
        '{"order_id":"7"}',
        '{ "price" : 1e3 ,\n"order_id":"\\u0037", "new":{"n":1.0,"big":123456789012345678901234567890} }',
    ]
) | st.dictionaries(TEXT, ANY, max_size=3).map(
    lambda more: json.dumps({**more, "order_id": "7", "price": 1.50})
)
ATTRIBUTES = st.dictionaries(
    st.text("abcdefghij0123456789", min_size=3, max_size=20),
    TEXT | st.integers(0, 2**31 - 1) | st.booleans(),
    max_size=4,
)
STAMPS = st.dictionaries(st.sampled_from(["shelf", "other", "token"]), st.none(), max_size=3).map(
    lambda names: {
        name: {"shelf": {"value": "a", "level": 1, "new": [1.0]}, "other": {"x": 1e2}, "token": {"value": "web"}}[name]
        for name in names
    }
)  # fmt: skip


def event_of(
    attributes: dict[str, Any], written: str, stamps: dict[str, Any] | None, attempt: int | None
) -> bytes:
    """An event as another version, or another language, writes it."""
    head = {**{k: v for k, v in attributes.items() if k not in KNOWN}, "type": "PlaceOrder", "id": "x-1"}
    if stamps:
        head["stamps"] = json.dumps(stamps)
    if attempt is not None:
        head["attempt"] = attempt
    text = json.dumps({"specversion": "1.0", **head})
    return f'{text[:-1]} ,\n "data": {written}}}'.encode()


def parts(body: bytes) -> tuple[dict[str, Any], bytes]:
    """An event's members but the data, and the bytes of that."""
    members = msgspec.json.decode(body, type=dict[str, msgspec.Raw])
    data = bytes(members.pop("data"))
    found = {name: json.loads(bytes(value)) for name, value in members.items()}
    return found | ({"stamps": json.loads(found["stamps"])} if "stamps" in found else {}), data


@given(ATTRIBUTES, WRITTEN, STAMPS, st.none() | st.integers(1, 2**31 - 2))
def test_a_retry_changes_the_attempt_only(
    attributes: dict[str, Any], written: str, stamps: dict[str, Any], attempt: int | None
) -> None:
    """Attributes, known or not, stay as they are; the data byte for byte."""
    body = event_of(attributes, written, stamps, attempt)
    envelope = SERIALIZER.decode(body, None, ("PlaceOrder",))
    assert isinstance(envelope, Envelope)
    again = SERIALIZER.onward(msgspec.structs.replace(envelope, attempt=envelope.attempt + 1), body)
    before, data = parts(body)
    after, same = parts(again)
    assert same == data
    assert after == {**before, "attempt": (attempt or 1) + 1}
    read = SERIALIZER.decode(again, None, ("PlaceOrder",))
    assert read == msgspec.structs.replace(envelope, attempt=envelope.attempt + 1)


@given(ATTRIBUTES, WRITTEN, STAMPS)
def test_what_did_not_change_is_written_as_it_came(
    attributes: dict[str, Any], written: str, stamps: dict[str, Any]
) -> None:
    """A give-back or a failure without further facts has the same members."""
    body = event_of(attributes, written, stamps, 3)
    envelope = SERIALIZER.decode(body)
    assert isinstance(envelope, Envelope)
    assert parts(SERIALIZER.onward(envelope, body)) == parts(body)


@given(ATTRIBUTES, WRITTEN, STAMPS)
def test_the_workers_own_stamps_come_and_go_beside_the_others(
    attributes: dict[str, Any], written: str, stamps: dict[str, Any]
) -> None:
    """What others wrote stays with the members that this application does not know."""
    body = event_of(attributes, written, stamps, 1)
    envelope = SERIALIZER.decode(body)
    assert isinstance(envelope, Envelope)
    more = SERIALIZER.onward(envelope.with_(Handled(("a",)), Abandoned(("b",)), Replay("t")), body)
    assert parts(more)[0]["stamps"] == {
        **stamps, "handled": {"handlers": ["a"]}, "abandoned": {"handlers": ["b"]}, "replay": {"ticket": "t"},
    }  # fmt: skip
    stamped = SERIALIZER.decode(more)
    assert isinstance(stamped, Envelope)
    assert parts(SERIALIZER.onward(stamped.without(Handled, Abandoned, Replay), more)) == parts(body)


@given(ATTRIBUTES, WRITTEN)
def test_an_edit_changes_the_data_only(attributes: dict[str, Any], written: str) -> None:
    """Every attribute stays; the data is the edited message."""
    body = event_of(attributes, written, None, 2)
    envelope = SERIALIZER.decode(body)
    assert isinstance(envelope, Envelope)
    edited = SERIALIZER.onward(envelope.with_message(PlaceOrder("8", 2.0)), body, edited=True)
    after, data = parts(edited)
    assert json.loads(data) == {"order_id": "8", "price": 2.0}
    assert after == {**parts(body)[0], "datacontenttype": "application/json"}


@given(ATTRIBUTES, WRITTEN, st.sampled_from(["ce_", "ce-", "cloudEvents:", "cloudEvents_"]))
def test_binary_mode_goes_on_in_structured_mode_with_all_it_had(
    attributes: dict[str, Any], written: str, prefix: str
) -> None:
    """Unknown attributes too; the data byte for byte."""
    known = {
        "id": "x-1",
        "type": "PlaceOrder",
        "source": "s",
        "time": "t",
        "dataversion": "7",
        "newextension": "n",
    }
    given_ = {name: str(value) for name, value in attributes.items() if name not in KNOWN} | known
    headers = {f"{prefix}{name}": value for name, value in given_.items()} | {
        "content-type": "application/json"
    }
    envelope = SERIALIZER.decode(written.encode(), headers)
    assert isinstance(envelope, Envelope)
    again = SERIALIZER.onward(msgspec.structs.replace(envelope, attempt=2), written.encode(), headers)
    after, data = parts(again)
    assert data == written.encode()
    assert after == {
        "specversion": "1.0", **given_, "dataversion": 7, "datacontenttype": "application/json", "attempt": 2,
    }  # fmt: skip
    assert SERIALIZER.decode(again) == msgspec.structs.replace(envelope, attempt=2)


@given(WRITTEN)
def test_a_bare_body_goes_on_in_an_envelope(written: str) -> None:
    """With the id that it was given, and its data byte for byte."""
    envelope = SERIALIZER.decode(written.encode(), None, ("PlaceOrder",), "n-1")
    assert isinstance(envelope, Envelope)
    again = SERIALIZER.onward(msgspec.structs.replace(envelope, attempt=2), written.encode())
    after, data = parts(again)
    assert (after["id"], after["type"], after["attempt"], data) == (
        envelope.id,
        "PlaceOrder",
        2,
        written.encode(),
    )
