"""Hot frames written by hand are what pamqp reads, and properties written by pamqp are what we read."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st
from pamqp import body, commands, frame, header

from transports.rabbitmq.wire import properties
from transports.rabbitmq.wire.writer import HEARTBEAT, Writer

SHORT = st.text(max_size=60)


def frames(data: bytes):
    while data:
        size, channel, read = frame.unmarshal(data)
        assert channel == 7
        yield read
        data = data[size:]


@given(
    queue=SHORT,
    payload=st.binary(max_size=100),
    id=SHORT,
    type=SHORT,
    key=st.one_of(st.none(), st.text(max_size=300)),
    priority=st.integers(0, 9),
    longest=st.sampled_from([16, 64, 131_072]),
)
def test_a_publish_is_read_back_by_pamqp(queue, payload, id, type, key, priority, longest) -> None:
    """Every message is persistent and mandatory, with its properties, in frames no longer than agreed."""
    data = Writer(7, longest).publish(
        "", queue, payload, id=id, type=type, content_type="a/b", headers={"key": key} if key else None, priority=priority
    )  # fmt: skip
    publish, head, *bodies = frames(data)
    assert isinstance(publish, commands.Basic.Publish)
    assert (publish.exchange, publish.routing_key, publish.mandatory) == ("", queue, True)
    assert isinstance(head, header.ContentHeader)
    assert head.body_size == len(payload)
    written = head.properties
    assert (written.message_id, written.message_type, written.content_type) == (id, type, "a/b")
    assert (written.delivery_mode, written.priority or 0) == (2, priority)
    assert (written.headers or {}) == ({"key": key} if key else {})
    assert all(isinstance(one, body.ContentBody) and len(one.value) <= longest - 8 for one in bodies)
    assert b"".join(one.value for one in bodies) == payload


def test_settlements_are_read_back_by_pamqp() -> None:
    """Acks name one tag or all up to it; give-backs ask to be queued again."""
    writer = Writer(7, 131_072)
    (mark,) = frames(writer.ack(9, multiple=True))
    assert (mark.name, mark.delivery_tag, mark.multiple) == ("Basic.Ack", 9, True)
    assert [(one.delivery_tag, one.multiple) for one in frames(writer.acks([1, 2**40]))] == [
        (1, False),
        (2**40, False),
    ]
    (back,) = frames(writer.requeues([3]))
    assert (back.name, back.delivery_tag, back.multiple, back.requeue) == ("Basic.Nack", 3, False, True)
    assert frame.unmarshal(HEARTBEAT)[2].name == "Heartbeat"


@given(
    st.builds(
        commands.Basic.Properties,
        content_type=st.one_of(st.none(), SHORT.filter(bool)),
        content_encoding=st.one_of(st.none(), SHORT.filter(bool)),
        headers=st.one_of(st.none(), st.just({"key": "clé", "n": 7})),
        delivery_mode=st.one_of(st.none(), st.just(2)),
        priority=st.one_of(st.none(), st.integers(1, 9)),
        correlation_id=st.one_of(st.none(), SHORT.filter(bool)),
        reply_to=st.one_of(st.none(), SHORT.filter(bool)),
        expiration=st.one_of(st.none(), st.just("60000")),
        message_id=st.one_of(st.none(), SHORT.filter(bool)),
        timestamp=st.one_of(st.none(), st.just(datetime(2026, 1, 2, tzinfo=UTC))),
        message_type=st.one_of(st.none(), SHORT.filter(bool)),
        app_id=st.one_of(st.none(), SHORT.filter(bool)),
    )
)
def test_any_properties_are_read(written: commands.Basic.Properties) -> None:
    """Whatever other producers set, content type, id and headers are found between it."""
    data = header.ContentHeader(body_size=0, properties=written).marshal()[12:]
    read = properties.read(data)
    assert (read.content_type, read.id) == (written.content_type or "", written.message_id or "")
    assert (read.headers or {}) == (written.headers or {})


@given(st.binary(max_size=60))
def test_properties_that_are_no_amqp_count_as_none(noise: bytes) -> None:
    """A message with broken properties still has its body: reading them never raises."""
    properties.read(noise)


def test_header_values_are_told_as_text() -> None:
    """Numbers, truth, bytes and times are written as a reader of CloudEvents expects them."""
    values = ["a", 7, True, b"b", datetime(2026, 1, 2, tzinfo=UTC)]
    assert [properties.text(value) for value in values] == ["a", "7", "true", "b", "2026-01-02T00:00:00Z"]
