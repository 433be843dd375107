"""Several queues of one member are looked at as one, and none takes the others' room."""

from types import SimpleNamespace

import pytest

from tests.unit.transports.kafka.test_windows import Now, record
from transports.kafka.bundle import Bundle
from transports.kafka.window import Window
from transports.kafka.windows import AHEAD, Windows


class Part:
    def __init__(self, queue):
        self.paused = self.gone = False
        self.windows = Windows(queue, Now())


@pytest.fixture
def two():
    a, b = Part("a"), Part("b")
    bundle = Bundle({"a": a, "a.later": a, "b": b})
    bundle.begin([Window("a", 0, start=0), Window("a.later", 0, start=0), Window("b", 0, start=0)])
    return SimpleNamespace(a=a, b=b, bundle=bundle)


def test_what_is_read_goes_to_its_queue(two):
    """By topic, those of delayed messages too; the sums are over all."""
    two.bundle.took(("a.later", 0), [record(0)])
    two.bundle.took(("b", 0), [record(0), record(1)])
    assert (two.a.windows.ready, two.b.windows.ready, two.bundle.ready) == (1, 2, 3)
    (delivery,) = two.b.windows.hand_out(1)
    assert (delivery.queue, two.bundle.out) == ("b", 1)
    two.b.windows.ack([delivery])
    assert (two.bundle.out, two.bundle.settled) == (0, 1)


def test_a_full_queue_leaves_the_others_their_room(two):
    """Nothing more is read of it, and as much as ever of the others."""
    two.bundle.took(("a", 0), [record(offset) for offset in range(AHEAD)])
    assert two.bundle.room == AHEAD
    assert two.bundle.open() == [("b", 0)]
    two.a.windows.hand_out(1)
    assert len(two.bundle.open()) == 3


def test_what_a_paused_queue_has_read_counts_for_nothing(two):
    """It is neither room that is taken, nor work that is at hand."""
    two.bundle.took(("a", 0), [record(offset) for offset in range(AHEAD)])
    two.bundle.took(("b", 0), [record(0)])
    two.a.paused = True
    assert (two.bundle.room, two.bundle.ready) == (AHEAD - 1, 1)
    assert len(two.bundle.open()) == 3
    two.b.paused = True
    assert two.bundle.room == AHEAD - 1


def test_nobody_waits_for_what_a_queue_that_is_gone_had_out(two):
    """Its last subscription is closed: it will not be settled."""
    for part, topic in ((two.a, "a"), (two.b, "b")):
        two.bundle.took((topic, 0), [record(0)])
        part.windows.hand_out(1)
    two.a.gone = True
    assert two.bundle.out == 1


def test_at_the_end_nothing_is_held(two):
    """What is still out is fenced in each queue."""
    two.bundle.took(("a", 0), [record(0)])
    two.a.windows.hand_out(1)
    two.bundle.end()
    assert (list(two.bundle.held()), two.bundle.out, two.bundle.open()) == ([], 0, [])
