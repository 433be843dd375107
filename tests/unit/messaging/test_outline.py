"""An outline is read without any code of the application."""

from __future__ import annotations

import msgspec
import pytest

from worker import App, Stamp
from worker.messaging.envelope import Envelope
from worker.messaging.outline import outline
from worker.messaging.serializer import Serializer
from worker.messaging.stamps import Handled, Replay, UnknownStamp


class Deadly(msgspec.Struct, frozen=True):
    number: int

    def __post_init__(self) -> None:
        if self.number == 7:
            raise SystemExit


class Region(Stamp, frozen=True):
    value: str

    def __post_init__(self) -> None:
        if self.value == "deadly":
            raise SystemExit


app = App("outline")
app.command(Deadly)


@app.handler
async def handle(command: Deadly) -> None: ...


REGISTRY = app.registry()
ID = "018bcfe5-6800-7d7e-a230-e13a22f827e4"


def test_it_says_what_the_envelope_would() -> None:
    """But for the data, and stamps that are not the worker's own."""
    sent = Envelope(
        message=Deadly(1), type="Deadly", id=ID, key="k", attempt=3, stamps=(Replay("t"), Handled(("a",)))
    )
    found = outline(REGISTRY, Serializer(REGISTRY).encode(sent), {}, ("Deadly",), "")
    assert found is not None
    assert (found.type, found.id, found.key, found.attempt) == ("Deadly", ID, "k", 3)
    assert (found.get(Replay), found.get(Handled)) == (Replay("t"), Handled(("a",)))


def test_neither_data_nor_stamps_are_built() -> None:
    """They may be what kills."""
    body = msgspec.json.encode(
        {
            "specversion": "1.0",
            "id": ID,
            "type": "Deadly",
            "data": {"number": 7},
            "stamps": '{"region":"deadly"}',
        }
    )
    found = outline(REGISTRY, body, {}, ("Deadly",), "")
    assert found is not None
    assert found.stamps == (UnknownStamp("region", "deadly"),)


def test_a_bare_body_is_of_the_queues_one_type() -> None:
    """With the same id as when it is read."""
    body = b'{"number": 1}'
    found = outline(REGISTRY, body, {}, ("Deadly",), "native")
    read = Serializer(REGISTRY).decode(body, {}, ("Deadly",), "native")
    assert found is not None
    assert (found.id, found.type) == (read.id, read.type)


@pytest.mark.parametrize("body", [b"", b"no", b"[]", b'{"specversion":"1.0","id":"x","type":"Other"}', b"{}"])
def test_of_anything_else_there_is_none(body: bytes) -> None:
    """It is kept as bytes."""
    assert outline(REGISTRY, body, {}, ("Deadly", "Other"), "") is None
