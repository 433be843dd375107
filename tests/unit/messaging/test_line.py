"""A line of an NDJSON batch, the same over HTTP and on the command line."""

from __future__ import annotations

import msgspec
import pytest

from worker.errors import InvalidMessage, Malformed, UnknownType
from worker.messaging.declaration import MessageType
from worker.messaging.line import CHUNK, Lines


class Order(msgspec.Struct, frozen=True):
    order_id: str


ORDER = MessageType(name="Order", cls=Order, kind="command")
LINE = {"type": "Order", "data": {"order_id": "7"}}


def read(line, inline=False):
    raw = line if isinstance(line, bytes) else msgspec.json.encode(line)
    return Lines({"Order": ORDER}, lambda declared: inline).read(raw)


def pointers(line, **more):
    with pytest.raises(InvalidMessage) as caught:
        read(line, **more)
    return {fault.pointer: fault.message for fault in caught.value.faults}


def test_a_line_is_read_with_its_members():
    """Type, data, id, key and delay."""
    order = read({**LINE, "key": "k", "delay": 2})
    assert (order.message, order.line.key, order.line.delay) == (Order("7"), "k", 2.0)


def test_a_misspelt_member_is_named_with_what_was_meant():
    """``dely`` is no delay."""
    assert pointers({**LINE, "dely": 5}) == {"/dely": "is not known; did you mean 'delay'?"}


def test_all_faults_of_a_line_are_told_together():
    """Those of its members and those of its data."""
    found = pointers({"type": "Order", "data": {"x": 1}, "id": "x", "key": "", "delay": "5", "foo": 1})
    assert set(found) == {"/data/order_id", "/data/x", "/id", "/key", "/delay", "/foo"}


@pytest.mark.parametrize(
    ("member", "value"),
    [("key", "a\0b"), ("key", "k" * 1025), ("delay", -1), ("delay", 1e300), ("id", "7"), ("id", None)],
)
def test_what_a_member_may_be_is_checked(member, value):
    """A key that no database can keep, a delay of centuries, an id that is no UUID."""
    line = {**LINE, member: value}
    if value is None:
        assert read(line).line.id is None
    else:
        assert set(pointers(line)) == {f"/{member}"}


def test_what_is_handled_at_once_cannot_be_delayed():
    """It would be handled late and answered early."""
    assert set(pointers({**LINE, "delay": 5}, inline=True)) == {"/delay"}


@pytest.mark.parametrize(
    "raw", [b"{", b"\xff", b'{"type": "\\ud800"}', b"[" * 100_000, b"", b'{"delay": NaN}', b"{} {}"]
)
def test_what_is_no_json_is_malformed(raw):
    """Whatever the bytes are."""
    with pytest.raises(Malformed):
        read(raw)


@pytest.mark.parametrize("raw", [b"[]", b"1", b'{"type": 1, "data": 1}', b"{}", b'{"delay": 1e400}'])
def test_what_is_no_line_is_invalid(raw):
    """JSON of another form."""
    with pytest.raises(InvalidMessage):
        read(raw)


def test_an_unknown_type_is_its_own_error():
    """It is 404 or exit 4, not invalid."""
    with pytest.raises(UnknownType):
        read({**LINE, "type": "Nope"})


def chunks(body):
    """What goes together of a batch in which ``Now`` is handled at once."""
    now = MessageType(name="Now", cls=Order, kind="command")
    lines = Lines({"Order": ORDER, "Now": now}, lambda declared: declared is now)
    return [[number for number, _ in chunk] for chunk in lines.chunks(enumerate(body.splitlines()))]


def test_lines_go_together_and_blank_ones_count():
    """A chunk is full at its size; the number of a line is the one that an editor shows."""
    assert chunks(b"{}\n\n  \n{}") == [[0, 3]]
    assert [len(chunk) for chunk in chunks(b"{}\n" * (2 * CHUNK + 1))] == [CHUNK, CHUNK, 1]
    assert chunks(b"\n") == []


def test_what_is_handled_at_once_goes_alone_in_its_place():
    """Whatever else is wrong with the line, its type decides."""
    assert chunks(b'{}\n{}\n{"type": "Now", "dely": 1}\n{"type": "Now"}\n{"type": "Order"}\nnonsense') == [
        [0, 1],
        [2],
        [3],
        [4, 5],
    ]
