"""Messages become records and come back; records of others are read as far as they go."""

from types import SimpleNamespace

from transports.kafka import encoding
from transports.kafka.encoding import Reader
from transports.kafka.window import Window
from worker.messaging.transport import Outgoing


def read(headers, key=b"k", value=b"v", offset=7):
    record = SimpleNamespace(offset=offset, key=key, value=value, headers=headers)
    (entry,), _ = Reader("q").read(Window("t", 3), [record])
    return entry


def test_a_message_comes_back():
    """Id, key, body, content type and due time survive."""
    message = Outgoing(queue="q", id="é1", type="T", body=b"v", key="k", content_type="a/b")
    entry = read(tuple(encoding.headers(message, 123.25)))
    assert (entry.delivery.id, entry.delivery.key, entry.delivery.body) == ("é1", "k", b"v")
    assert dict(entry.delivery.headers) == {"content-type": "a/b"}
    assert entry.due == 123.25


def test_a_message_of_somebody_else_is_read():
    """Without our headers the id is where it lies; with CloudEvents' it is the event's; nulls are empty."""
    assert read((), key=None, value=None).delivery.id == "t-3-7"
    assert read((), key=None, value=None).delivery.body == b""
    entry = read((("ce_id", b"e1"), ("x", None), ("due", b"soon")), key=b"\xff")
    assert entry.delivery.id == "e1"
    assert entry.delivery.headers["x"] == ""
    assert entry.due == 0.0
    assert entry.delivery.key == "\ufffd"
