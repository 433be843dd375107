"""Laws of the serializer: what is written reads back, and reading never raises."""

from __future__ import annotations

import json
from typing import Any

import msgspec
from hypothesis import example, given
from hypothesis import strategies as st

import worker
from worker.messaging.envelope import Envelope, Undecodable
from worker.messaging.serializer import Serializer, UnknownStamp
from worker.messaging.stamps import Abandoned, Handled, Received, Replay, Token

app = worker.App("shop")


class Line(msgspec.Struct, frozen=True):
    text: str
    amount: int


@app.command
class PlaceOrder(msgspec.Struct, frozen=True):
    order_id: str
    lines: tuple[Line, ...] = ()
    price: float = 0.0
    note: str | None = None
    more: dict[str, int | str | bool | None] = {}


class Shelf(worker.Stamp):
    value: str
    level: int = 0


@app.handler
async def place_order(command: PlaceOrder) -> None: ...


SERIALIZER = Serializer(app.registry())
TEXT = st.text(st.characters(exclude_categories=["Cs"]))
LABEL = st.text("abcdefgh", min_size=1)
WHOLE = st.integers(-(2**80), 2**80)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)
MESSAGES = st.builds(
    PlaceOrder,
    order_id=TEXT,
    lines=st.lists(st.builds(Line, text=TEXT, amount=WHOLE), max_size=3).map(tuple),
    price=st.floats(allow_nan=False, allow_infinity=False),
    note=st.none() | TEXT,
    more=st.dictionaries(TEXT, st.none() | st.booleans() | TEXT | WHOLE, max_size=3),
)
STAMPS = st.tuples(
    st.builds(Token, TEXT),
    st.builds(Handled, st.lists(TEXT).map(tuple)),
    st.builds(Abandoned, st.lists(TEXT).map(tuple)),
    st.builds(Replay, TEXT),
    st.builds(Shelf, TEXT, WHOLE),
    st.builds(lambda key, value: UnknownStamp(f"other_{key}", value), LABEL, JSON),
).flatmap(lambda stamps: st.lists(st.sampled_from(stamps), unique_by=type, max_size=6).map(tuple))
ENVELOPES: st.SearchStrategy[Envelope[Any]] = st.builds(
    Envelope,
    message=MESSAGES,
    type=st.just("PlaceOrder"),
    id=st.text(st.characters(categories=["L", "N", "P"]), min_size=1, max_size=255),
    source=TEXT,
    time=TEXT,
    correlation_id=st.none() | TEXT,
    causation_id=st.none() | TEXT,
    key=st.none() | TEXT,
    attempt=st.integers(1, 2**31 - 1),
    traceparent=st.none() | TEXT,
    version=st.integers(1, 2**31 - 1),
    stamps=STAMPS,
)
HEADERS = st.dictionaries(
    st.sampled_from(
        ["ce_id", "ce_type", "ce-id", "ce-type", "ce_attempt", "ce_specversion", "cloudEvents:id"]
    )
    | st.sampled_from(["content-type", "ce_stamps", "ce_data", "ce_data_base64", "ce_time"])
    | TEXT,
    TEXT
    | st.sampled_from(["PlaceOrder", "1", "1.0", "application/json", "application/cloudevents+json", "{}"]),
)
QUEUES = st.sampled_from([(), ("PlaceOrder",), ("PlaceOrder", "Other"), ("Other",)])


@given(ENVELOPES)
def test_what_is_written_reads_back(envelope: Envelope[Any]) -> None:
    """Every attribute, the data and the stamps that travel, each in its class."""
    assert SERIALIZER.decode(SERIALIZER.encode(envelope)) == envelope


@given(ENVELOPES)
def test_the_body_is_a_cloud_event(envelope: Envelope[Any]) -> None:
    """UTF-8 JSON with the required attributes; stamps are one JSON string, absent when empty."""
    event = json.loads(SERIALIZER.encode(envelope).decode("utf-8"))
    assert (event["specversion"], event["id"], event["type"], event["source"]) == (
        "1.0",
        envelope.id,
        envelope.type,
        envelope.source,
    )
    assert ("stamps" in event) is bool(envelope.stamps)
    assert isinstance(json.loads(event.get("stamps", "{}")), dict)


@given(ENVELOPES)
def test_binary_mode_reads_the_same(envelope: Envelope[Any]) -> None:
    """The attributes as headers and the data as body are the same message."""
    event = json.loads(SERIALIZER.encode(envelope))
    data = event.pop("data")
    headers = {f"ce_{name}": str(value) for name, value in event.items() if name != "datacontenttype"}
    assert SERIALIZER.decode(json.dumps(data).encode(), headers) == envelope


@given(st.binary(), HEADERS, QUEUES, TEXT)
@example(b"[" * 100_000, {}, (), "")
@example(b'{"a":' * 100_000, {}, ("PlaceOrder",), "")
@example(b'{"order_id":' + b"9" * 10_000 + b"}", {}, ("PlaceOrder",), "")
@example(b"\xff\xfe{\x00}\x00", {}, ("PlaceOrder",), "")
def test_reading_any_bytes_never_raises(
    body: bytes, headers: dict[str, str], types: tuple[str, ...], native_id: str
) -> None:
    """What cannot be read is a value with its bytes unchanged."""
    found = SERIALIZER.decode(body, headers, types, native_id, (Received("t", "q"),))
    assert isinstance(found, Envelope) or found.body == body


@given(
    st.dictionaries(
        st.sampled_from(
            ["specversion", "id", "type", "source", "data", "data_base64", "attempt", "stamps", "time"]
        ),
        JSON | st.sampled_from(["1.0", "PlaceOrder", "application/json", '{"token":{"value":"a"}}', "e30="]),
    ),
    HEADERS,
    QUEUES,
)
def test_reading_any_document_never_raises(
    document: dict[str, Any], headers: dict[str, str], types: tuple[str, ...]
) -> None:
    """Nor do events whose attributes are of any shape; what is noted of them can be kept."""
    body = json.dumps(document).encode()
    found = SERIALIZER.decode(body, headers, types)
    assert isinstance(found, Envelope | Undecodable)
    for text in (found.id, found.type):
        assert text is None or (text.isprintable() and 0 < len(text) <= 255)
    assert 1 <= found.attempt < 2**31


@given(ENVELOPES, st.data())
def test_a_body_that_was_cut_off_is_never_a_message(envelope: Envelope[Any], data: st.DataObject) -> None:
    """No part of an event is taken for the whole."""
    body = SERIALIZER.encode(envelope)
    end = data.draw(st.integers(0, len(body) - 1))
    assert isinstance(SERIALIZER.decode(body[:end], {}, ("PlaceOrder",)), Undecodable)
