"""The envelope: immutable, with one stamp of a kind."""

from __future__ import annotations

import msgspec
import pytest

from worker.errors import UsageError
from worker.messaging.envelope import Envelope
from worker.messaging.stamps import Delay, Handled, Received, Stamp, Token, UnknownStamp


class Go(msgspec.Struct, frozen=True):
    to: str


class Stay(msgspec.Struct, frozen=True):
    pass


class Type(Stamp):
    value: str


@pytest.fixture
def envelope() -> Envelope[Go]:
    return Envelope(message=Go("a"), type="Go", id="1", stamps=(Token("web"), Delay(1.0)))


def test_an_envelope_is_immutable(envelope: Envelope[Go]) -> None:
    """Every change gives a new one."""
    with pytest.raises(AttributeError, match="immutable"):
        envelope.attempt = 2  # type: ignore[misc]


def test_adding_a_stamp_keeps_the_others_and_replaces_its_kind(envelope: Envelope[Go]) -> None:
    """An envelope holds one stamp of a kind, the last one set."""
    assert envelope.with_(Token("app"), Handled(("x",))).stamps == (Delay(1.0), Token("app"), Handled(("x",)))
    assert envelope.stamps == (Token("web"), Delay(1.0))


def test_stamps_can_be_taken_away_by_kind(envelope: Envelope[Go]) -> None:
    """Kinds that are not there are no error."""
    assert envelope.without(Token, Received).stamps == (Delay(1.0),)


def test_a_stamp_is_found_by_its_kind(envelope: Envelope[Go]) -> None:
    """None where there is none."""
    assert (envelope.get(Delay), envelope.get(Received)) == (Delay(1.0), None)


def test_a_message_can_be_replaced_by_one_of_its_type(envelope: Envelope[Go]) -> None:
    """Id and stamps stay."""
    assert envelope.with_message(Go("b")) == msgspec.structs.replace(envelope, message=Go("b"))


def test_a_message_of_another_type_is_refused(envelope: Envelope[Go]) -> None:
    """A middleware cannot turn one command into another."""
    with pytest.raises(UsageError, match=r"takes a Go, not a Stay"):
        envelope.with_message(Stay())  # type: ignore[arg-type]


def test_conditions_read_facts_and_stamps_by_name(envelope: Envelope[Go]) -> None:
    """Type, attempt and id are there, and each stamp under its name, also one that is not known here."""
    stamped = envelope.with_(UnknownStamp("region", {"value": "eu"}))
    assert stamped.attributes() == {
        "type": "Go",
        "attempt": 1,
        "id": "1",
        "token": "web",
        "delay": 1.0,
        "region": "eu",
    }


def test_no_stamp_hides_a_fact(envelope: Envelope[Go]) -> None:
    """A stamp that is named like a fact does not change what conditions read."""
    assert envelope.with_(Type("Stay")).attributes()["type"] == "Go"
