"""Cutting frames: however the bytes are split, the same messages come out, and what is no AMQP is refused."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pamqp import body, commands, frame, header

from transports.rabbitmq.wire.faults import Garbled
from transports.rabbitmq.wire.reader import Reader

LONGEST = 131_072


class Sink:
    """Notes what comes."""

    def __init__(self) -> None:
        self.events: list[tuple] = []

    def delivered(self, tag, consumer, properties, body, again):
        self.events.append(("delivered", tag, consumer, properties, body, again))

    def confirmed(self, tag, *, multiple, taken):
        self.events.append(("confirmed", tag, multiple, taken))

    def returned(self, reply, properties, body):
        self.events.append(("returned", reply.reply_code, reply.routing_key, properties, body))

    def method(self, method):
        self.events.append(("method", method.name))


def content(properties: commands.Basic.Properties, payload: bytes, channel: int, part: int) -> list[bytes]:
    frames = [frame.marshal(header.ContentHeader(body_size=len(payload), properties=properties), channel)]
    frames += [
        frame.marshal(body.ContentBody(payload[start : start + part]), channel)
        for start in range(0, len(payload), part)
    ]
    return frames


def properties_of(properties: commands.Basic.Properties) -> bytes:
    """Their bytes, without the class, weight and size before them."""
    return header.ContentHeader(body_size=0, properties=properties).marshal()[12:]


PROPERTIES = st.builds(
    commands.Basic.Properties,
    content_type=st.one_of(st.none(), st.just("application/json")),
    message_id=st.one_of(st.none(), st.text("abcé", min_size=1, max_size=9)),
    headers=st.one_of(st.none(), st.just({"key": "k"})),
    delivery_mode=st.just(2),
)


@st.composite
def streams(draw) -> tuple[bytes, dict[int, list[tuple]]]:
    """Bytes of several frames on two channels, and what must come out of them, by channel."""
    data: list[bytes] = []
    expected: dict[int, list[tuple]] = {1: [], 2: []}
    for number in range(draw(st.integers(1, 8))):
        channel = draw(st.sampled_from([1, 2]))
        kind = draw(st.sampled_from(["deliver", "return", "ack", "nack", "method", "heartbeat"]))
        if kind in {"deliver", "return"}:
            properties = draw(PROPERTIES)
            payload = draw(st.binary(max_size=60))
            rest = content(properties, payload, channel, draw(st.sampled_from([7, 1000])))
            if kind == "deliver":
                again = draw(st.booleans())
                data.append(
                    frame.marshal(commands.Basic.Deliver("main.1", number + 1, again, "", "q"), channel)
                )
                expected[channel].append(
                    ("delivered", number + 1, b"main.1", properties_of(properties), payload, again)
                )
            else:
                data.append(frame.marshal(commands.Basic.Return(312, "NO_ROUTE", "", "q"), channel))
                expected[channel].append(("returned", 312, "q", properties_of(properties), payload))
            data += rest
        elif kind == "ack":
            multiple = draw(st.booleans())
            data.append(frame.marshal(commands.Basic.Ack(number + 1, multiple), channel))
            expected[channel].append(("confirmed", number + 1, multiple, True))
        elif kind == "nack":
            data.append(frame.marshal(commands.Basic.Nack(number + 1, False, False), channel))
            expected[channel].append(("confirmed", number + 1, False, False))
        elif kind == "method":
            data.append(frame.marshal(commands.Basic.QosOk(), channel))
            expected[channel].append(("method", "Basic.QosOk"))
        else:
            data.append(b"\x08\x00\x00\x00\x00\x00\x00\xce")
    return b"".join(data), expected


@given(streams(), st.data())
def test_any_split_of_the_stream_gives_the_same_messages(stream, data) -> None:
    """Frames are found wherever the network cut the stream, byte by byte if need be."""
    stream, expected = stream
    sinks = {1: Sink(), 2: Sink()}
    reader = Reader(sinks, LONGEST)
    cuts = data.draw(st.lists(st.integers(0, len(stream)), max_size=12).map(sorted))
    for start, stop in zip([0, *cuts], [*cuts, len(stream)], strict=True):
        reader.feed(stream[start:stop])
    assert {channel: sink.events for channel, sink in sinks.items()} == expected


@given(streams())
def test_byte_by_byte(stream) -> None:
    """The worst split of all."""
    stream, expected = stream
    sinks = {1: Sink(), 2: Sink()}
    reader = Reader(sinks, LONGEST)
    for number in range(len(stream)):
        reader.feed(stream[number : number + 1])
    assert {channel: sink.events for channel, sink in sinks.items()} == expected


@given(st.binary(max_size=200))
def test_what_is_no_amqp_is_refused_or_waited_for(noise: bytes) -> None:
    """Whatever a server sends, reading ends in an error that is ours, or waits for more."""
    reader = Reader({0: Sink(), 1: Sink()}, LONGEST)
    try:
        reader.feed(noise)
    except Garbled:
        pass


def test_a_frame_without_its_end_is_refused() -> None:
    """Where the end byte is missing nothing that follows can be trusted."""
    data = bytearray(frame.marshal(commands.Basic.Ack(1), 1))
    data[-1] = 0
    with pytest.raises(Garbled, match="no end"):
        Reader({1: Sink()}, LONGEST).feed(bytes(data))


def test_a_frame_that_is_larger_than_agreed_is_refused_at_once() -> None:
    """A length that lies must not make us wait for gigabytes."""
    with pytest.raises(Garbled, match="4294967295 bytes"):
        Reader({1: Sink()}, LONGEST).feed(struct.pack(">BHI", 1, 1, 2**32 - 1) + b"x" * 10)


def test_frames_of_a_closed_channel_are_dropped() -> None:
    """What was on its way to a channel that was closed meanwhile harms no other channel."""
    sink = Sink()
    reader = Reader({1: sink}, LONGEST)
    delivery = frame.marshal(commands.Basic.Deliver("c", 1, False, "", "q"), 9)
    reader.feed(delivery + b"".join(content(commands.Basic.Properties(), b"x", 9, 10)))
    reader.feed(frame.marshal(commands.Basic.Ack(1), 9) + frame.marshal(commands.Basic.Ack(2), 1))
    assert sink.events == [("confirmed", 2, False, True)]
