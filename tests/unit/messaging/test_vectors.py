"""Runs every test vector: what readers and writers in other languages must do, ours does."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

import worker
from worker.messaging.envelope import Envelope, Undecodable
from worker.messaging.identity import is_id
from worker.messaging.serializer import CONTENT_TYPE, Serializer, UnknownStamp
from worker.messaging.stamps import Stamp, name_of

FOLDER = Path(__file__).parents[2] / "vectors"
VECTORS = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in sorted(FOLDER.glob("*.json"))}
READING = [name for name, vector in VECTORS.items() if vector["mode"] != "encode"]
WRITING = [name for name, vector in VECTORS.items() if vector["mode"] == "encode"]

ANY_ID = "00000000-0000-7000-8000-000000000000"
"""Stands in the vectors for an id that the reader makes."""

app = worker.App("shop")


@app.command(key="order_id", aliases=("shop.place_order",), version=2)
class PlaceOrder(msgspec.Struct, frozen=True):
    order_id: str
    lines: list[str]
    amount: int = 0
    note: str | None = None


@app.command
class Ping(msgspec.Struct, frozen=True):
    pass


@app.command
class Note(msgspec.Struct, frozen=True):
    value: Any


class Region(worker.Stamp):
    value: str


@app.handler
async def place_order(command: PlaceOrder) -> None: ...


@app.handler
async def ping(command: Ping) -> None: ...


@app.handler
async def note(command: Note) -> None: ...


@pytest.fixture
def serializer() -> Serializer:
    return Serializer(app.registry())


def body_of(vector: dict[str, Any]) -> bytes:
    if "body" in vector:
        return str(vector["body"]).encode()
    return base64.b64decode(vector["body_base64"], validate=True)


def read(serializer: Serializer, vector: dict[str, Any]) -> Envelope[Any] | Undecodable:
    """Read it, with the content type that structured mode is named by too where no header says otherwise."""
    body, types, native_id = body_of(vector), tuple(vector["queue_types"]), vector.get("native_id", "")
    found = serializer.decode(body, vector["headers"], types, native_id)
    told = serializer.decode(body, vector["headers"] or {"content-type": CONTENT_TYPE}, types, native_id)
    assert type(told) is type(found)
    if isinstance(found, Envelope):
        assert told == found
    return found


def stamps_of(envelope: Envelope[Any]) -> dict[str, Any]:
    """The stamps as data, each by its name."""
    return {
        name_of(stamp): stamp.value
        if isinstance(stamp, UnknownStamp)
        else json.loads(msgspec.json.encode(stamp))
        for stamp in envelope.stamps
    }


def shown(envelope: Envelope[Any]) -> dict[str, Any]:
    """An envelope as the vectors write it."""
    return {
        "type": envelope.type,
        "id": envelope.id,
        "source": envelope.source,
        "time": envelope.time,
        "correlation_id": envelope.correlation_id,
        "causation_id": envelope.causation_id,
        "key": envelope.key,
        "attempt": envelope.attempt,
        "traceparent": envelope.traceparent,
        "version": envelope.version,
        "data": msgspec.to_builtins(envelope.message),
        "stamps": stamps_of(envelope),
    }


@pytest.mark.parametrize("name", READING)
def test_a_vector_is_read_as_it_says(serializer: Serializer, name: str) -> None:
    """Reading gives the envelope that the vector expects, or says that it cannot be read and keeps the bytes."""
    vector = VECTORS[name]
    expect = vector["expect"]
    found = read(serializer, vector)
    if expect.get("error"):
        assert isinstance(found, Undecodable)
        assert found.body == body_of(vector)
        assert str(found.error)
        assert {"error": True, "type": found.type, "id": found.id, "attempt": found.attempt} == expect
        return
    assert isinstance(found, Envelope), found
    actual = shown(found)
    if expect["id"] == ANY_ID:
        assert is_id(found.id)
        assert read(serializer, vector) == found
        actual.update(id=ANY_ID, correlation_id=ANY_ID)
    assert actual == expect


@pytest.mark.parametrize("name", WRITING)
def test_a_vector_is_written_to_the_byte(serializer: Serializer, name: str) -> None:
    """Writing gives exactly the bytes that the vector expects, and they read back as the same envelope."""
    vector = VECTORS[name]
    given = dict(vector["envelope"])
    message = msgspec.convert(given.pop("data"), PlaceOrder)
    kinds: dict[str, type[Stamp]] = {"token": worker.Token, "handled": worker.Handled, "region": Region}
    stamps = tuple(
        msgspec.convert(value, kinds[key]) if key in kinds else UnknownStamp(key, value)
        for key, value in given.pop("stamps", {}).items()
    )
    envelope = Envelope(message=message, stamps=stamps, **given)
    written = serializer.encode(envelope)
    assert written.decode() == vector["expect"]["body"]
    assert serializer.decode(written) == envelope


def test_each_vector_is_named_like_its_file_and_says_why() -> None:
    """A vector's name is its file's, and it states its reason."""
    assert [name for name, vector in VECTORS.items() if vector["name"] != name or not vector["why"]] == []


def test_there_are_vectors_of_every_mode() -> None:
    """All three modes and the writing are covered, by 20 cases at least."""
    assert {vector["mode"] for vector in VECTORS.values()} == {"structured", "binary", "bare", "encode"}
    assert len(VECTORS) >= 20
