"""Acks by low watermark: everything that was acked is told once, and nothing that was not."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from transports.rabbitmq.watermark import Watermark


class Broker:
    """What a broker makes of acks: a tag that it does not know closes the channel."""

    def __init__(self) -> None:
        self.unacked: list[int] = []
        self.acked: set[int] = set()

    def ack(self, tag: int, *, multiple: bool) -> None:
        assert tag in self.unacked, f"unknown delivery tag {tag}"
        for one in [one for one in self.unacked if one == tag or (multiple and one < tag)]:
            self.unacked.remove(one)
            self.acked.add(one)


@given(st.lists(st.sampled_from(["deliver", "ack", "back", "flush"]), max_size=80), st.randoms())
def test_the_broker_hears_of_what_was_acked_and_of_nothing_else(steps, chance) -> None:
    """In whatever order messages are acked, given back and flushed."""
    broker, mark = Broker(), Watermark()
    held: list[int] = []
    acked: set[int] = set()
    tag = 0

    def flush() -> None:
        found, multiple, rest = mark.flush()
        if found:
            broker.ack(found, multiple=multiple)
        for one in rest:
            broker.ack(one, multiple=False)
        assert broker.acked == acked

    for step in steps:
        if step == "deliver":
            tag += 1
            held.append(tag)
            broker.unacked.append(tag)
            mark.delivered(tag)
        elif step == "flush":
            flush()
        elif held:
            one = held.pop(chance.randrange(len(held)))
            if step == "ack":
                acked.add(one)
                mark.ack(one)
            else:
                mark.told(one)
                broker.unacked.remove(one)
    flush()
    assert broker.unacked == held


def test_what_was_acked_in_order_is_one_frame() -> None:
    """Fifty messages handled in order cost one ack."""
    mark = Watermark()
    for tag in range(1, 51):
        mark.delivered(tag)
    for tag in range(1, 51):
        mark.ack(tag)
    assert mark.flush() == (50, True, [])
