"""The serializer beyond the vectors: stamps, odd classes, and that nothing is ever raised."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, ClassVar

import attrs
import msgspec
import pytest

import worker
from tests.unit.test_texts import Mute
from worker.errors import UnknownType
from worker.messaging.envelope import Envelope, Undecodable
from worker.messaging.serializer import Serializer, UndecodableMessage, UnknownStamp
from worker.messaging.stamps import (
    Abandoned,
    Collect,
    Delay,
    Handled,
    Plugins,
    Received,
    Replay,
    Result,
    Sent,
    Token,
)

ID = "01920000-0000-7000-8000-000000000001"


class Go(msgspec.Struct, frozen=True):
    to: str


class Picky(msgspec.Struct, frozen=True):
    to: str

    def __post_init__(self) -> None:
        raise LookupError(f"no such place: {self.to}")


@dataclass(frozen=True)
class Walk:
    to: str
    at: datetime


@attrs.frozen
class Run:
    to: str


class Region(worker.Stamp):
    value: str


class Window(worker.Stamp):
    opens: datetime
    days: tuple[int, ...] = ()


class Secret(worker.Stamp):
    travels: ClassVar[bool] = False
    value: str


app = worker.App("shop")
app.command(aliases=("gone",))(Go)
app.command(key=lambda command: str(1 // 0))(Picky)
app.event(Walk)
app.event(Run)


@app.handler
async def go(command: Go) -> None: ...


@app.handler
async def picky(command: Picky) -> None: ...


@pytest.fixture
def serializer() -> Serializer:
    return Serializer(app.registry())


def envelope(message: Any, *stamps: worker.Stamp) -> Envelope[Any]:
    return Envelope(message=message, type=type(message).__name__, id=ID, stamps=stamps)


@pytest.mark.parametrize(
    "message",
    [Go("a"), Walk("a", datetime(2026, 1, 2, tzinfo=UTC)), Run("a")],
    ids=lambda it: type(it).__name__,
)
def test_structs_dataclasses_and_attrs_classes_travel(serializer: Serializer, message: Any) -> None:
    """What is written reads back as the same value of the same class."""
    found = serializer.decode(serializer.encode(envelope(message)))
    assert isinstance(found, Envelope)
    assert found.message == message


def test_an_applications_stamps_come_back_in_their_classes(serializer: Serializer) -> None:
    """Without registration: declaring the class is enough."""
    sent = envelope(Go("a"), Region("eu"), Window(datetime(2026, 1, 2, tzinfo=UTC), (1, 2)), Token("web"))
    found = serializer.decode(serializer.encode(sent))
    assert found == sent
    assert isinstance(found, Envelope)
    assert found.attributes()["region"] == "eu"


def test_every_built_in_stamp_that_travels_comes_back(serializer: Serializer) -> None:
    """What a retry and a replay must know is in the message."""
    sent = envelope(Go("a"), Token("web"), Plugins(("p",)), Handled(("x",)), Abandoned(("y",)), Replay("t"))
    assert serializer.decode(serializer.encode(sent)) == sent


def test_stamps_of_this_process_stay_here(serializer: Serializer) -> None:
    """Delay, origin, receipt, result and an application's own local stamps are not written."""
    local = (Delay(1.0), Received("t", "q"), Sent("t", "q"), Collect([]), Result(1), Secret("s"))
    assert b"stamps" not in serializer.encode(envelope(Go("a"), *local))


def test_a_stamp_declared_in_a_function_may_be_named() -> None:
    """Classes given to the serializer are known whenever they were declared."""

    class Late(worker.Stamp):
        value: int

    late = Serializer(app.registry(), [Late])
    sent = envelope(Go("a"), Late(3))
    assert late.decode(late.encode(sent)) == sent


def test_an_unknown_stamp_is_kept_and_read_by_conditions(serializer: Serializer) -> None:
    """It reads as its own class would, and travels on unchanged."""
    sent = envelope(
        Go("a"), UnknownStamp("tenant", {"value": "acme"}), UnknownStamp("pair", {"a": 1, "b": 2})
    )
    found = serializer.decode(serializer.encode(sent))
    assert found == sent
    assert {"tenant": "acme", "pair": (1, 2)}.items() <= sent.attributes().items()


def test_received_stamps_are_added_in_every_mode(serializer: Serializer) -> None:
    """Structured, binary and bare messages know where they came from."""
    received = (Received("sqlite", "q"),)
    bodies: list[tuple[bytes, dict[str, str]]] = [
        (serializer.encode(envelope(Go("a"), Token("web"))), {}),
        (b'{"to":"a"}', {"ce_id": ID, "ce_type": "Go"}),
        (b'{"to":"a"}', {}),
    ]
    found = [serializer.decode(body, headers, ("Go",), ID, received) for body, headers in bodies]
    assert [it.stamps if isinstance(it, Envelope) else it for it in found] == [
        (Token("web"), *received),
        received,
        received,
    ]


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (b'{"specversion":"1.0","id":"1","type":"Picky","data":{"to":"a"}}', {}),
        (b'{"to":"a"}', {"ce_id": "1", "ce_type": "Picky"}),
        (b'{"to":"a"}', {}),
    ],
)
def test_what_an_applications_class_raises_is_a_value(
    serializer: Serializer, body: bytes, headers: dict[str, str]
) -> None:
    """A class that raises while it is read makes the message undecodable, in every mode."""
    found = serializer.decode(body, headers, ("Picky",))
    assert isinstance(found, Undecodable)
    assert "no such place: a" in str(found.error)
    assert (found.body, found.type) == (body, "Picky")


def test_a_queue_of_a_type_that_is_not_declared_reads_nothing_bare(serializer: Serializer) -> None:
    """It is undecodable, not an error."""
    assert isinstance(serializer.decode(b'{"to":"a"}', {}, ("Fly",)), Undecodable)


def test_an_unknown_type_says_which_are_known(serializer: Serializer) -> None:
    """The failure store shows what could have been meant."""
    found = serializer.decode(b'{"specversion":"1.0","id":"1","type":"Fly","data":{}}')
    assert isinstance(found, Undecodable)
    assert isinstance(found.error, UnknownType)
    assert str(found.error) == "unknown message type 'Fly'; known: Go, Picky, Run, Walk"


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b'{"specversion":"0.3","id":"1","type":"Go","data":{}}', "no CloudEvent: Invalid enum value '0.3'"),
        (
            b'{"specversion":"1.0","id":"1","type":"Go","data":{}}',
            "data of Go: Object missing required field `to`",
        ),
        (b'{"specversion":"1.0","id":"1","type":"Go"}', "data of Go: there is none"),
        (b'{"specversion":"1.0","id":"1","type":"Go","data":{"to":"a"},"stamps":"{"}', "stamps of Go: "),
        (b"{", "no CloudEvent: Input data was truncated"),
    ],
)
def test_the_error_says_what_is_wrong(serializer: Serializer, body: bytes, says: str) -> None:
    """One sentence that names the part: the event, its data or its stamps."""
    found = serializer.decode(body)
    assert isinstance(found, Undecodable)
    assert isinstance(found.error, UndecodableMessage)
    assert str(found.error).startswith(says)


def test_a_bare_message_has_the_same_id_each_time_and_another_for_other_bytes(serializer: Serializer) -> None:
    """A repeat is the same message; without the broker's id its bytes tell it apart."""
    ids = [
        serializer.decode(body, {}, ("Go",), native).id
        for body, native in (
            (b'{"to":"a"}', ""),
            (b'{"to":"a"}', ""),
            (b'{"to":"b"}', ""),
            (b'{"to":"a"}', "7"),
        )
    ]
    assert ids[0] == ids[1]
    assert len(set(ids)) == 3


def test_an_error_whose_text_raises_is_a_value_too() -> None:
    """A class of the application may raise anything while it is read."""
    app = worker.App("mute")

    class Silent(msgspec.Struct, frozen=True):
        def __post_init__(self) -> None:
            raise Mute

    async def silent(command: Silent) -> None: ...

    silent.__annotations__ = {"command": Silent}
    app.command(Silent)
    app.handler(silent)
    body = b'{"specversion":"1.0","id":"1","type":"Silent","data":{}}'
    found = Serializer(app.registry()).decode(body, {}, ("Silent",))
    assert isinstance(found, Undecodable)
    assert "its text cannot be read" in str(found.error)
