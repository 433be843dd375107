"""What a process holds of a queue is handed out once, by key in order, and settled once."""

from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transports.kafka import encoding
from transports.kafka.window import Window
from transports.kafka.windows import Windows
from worker.messaging.transport import Outgoing, Settled

PLACE = ("t", 0)


class Now:
    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


def record(offset, key=None, due=0.0, body=b""):
    message = Outgoing(queue="q", id=str(offset), type="T", body=body, key=key)
    return SimpleNamespace(
        offset=offset,
        key=None if key is None else key.encode(),
        value=body,
        headers=tuple(encoding.headers(message, due)),
    )


@pytest.fixture
def now():
    return Now()


@pytest.fixture
def held(now):
    windows = Windows("q", now)
    windows.begin([Window("t", 0, start=0)])
    return windows


def ids(deliveries):
    return [delivery.id for delivery in deliveries]


def again(delivery, **more):
    return Outgoing(queue="q", id=delivery.id, type="T", body=b"again", key=delivery.key, **more)


def test_of_each_key_only_the_head_is_out(held):
    """A key's next message comes when the one before it is done; those without key come at once."""
    held.took(PLACE, [record(0, "a"), record(1, "a"), record(2), record(3, "b")])
    first = held.hand_out(10)
    assert ids(first) == ["0", "2", "3"]
    assert not held.hand_out(10)
    assert held.ack([first[0]]) == [Settled.DONE]
    assert ids(held.hand_out(10)) == ["1"]


def test_a_retry_in_place_keeps_its_key_waiting(held, now):
    """The next attempt has the new body, comes when it is due, and before the rest of its key."""
    held.took(PLACE, [record(0, "a"), record(1, "a")])
    (delivery,) = held.hand_out(10)
    assert held.again(delivery, again(delivery, delay=5.0, content_type="x/y")) is Settled.DONE
    assert not held.hand_out(10)
    assert held.wait() == 5.0
    now.now += 5.0
    (second,) = held.hand_out(10)
    assert (second.id, second.body, second.headers["content-type"]) == ("0", b"again", "x/y")
    assert held.by_partition[PLACE].start == 0
    assert held.ack([delivery]) == [Settled.LOST]
    assert held.ack([second]) == [Settled.DONE]
    assert ids(held.hand_out(10)) == ["1"]


def test_a_delayed_head_holds_its_key_only(held, now):
    """A message that is not due yet holds up its key, and no other."""
    held.took(PLACE, [record(0, "a", due=1005.0), record(1, "a"), record(2, "b"), record(3, due=1003.0)])
    assert ids(held.hand_out(10)) == ["2"]
    now.now = 1003.0
    assert ids(held.hand_out(10)) == ["3"]
    now.now = 1005.0
    (head,) = held.hand_out(10)
    assert head.id == "0"
    held.ack([head])
    assert ids(held.hand_out(10)) == ["1"]


def test_what_is_fenced_changes_nothing(held):
    """After the partition is gone, settlements of it are lost, also when it comes back."""
    held.took(PLACE, [record(0), record(1)])
    out = held.hand_out(2)
    held.begin([Window("t", 0, start=0)])
    held.took(PLACE, [record(0), record(1)])
    assert held.ack([out[0]]) == [Settled.LOST]
    assert held.release(out[1], 0.0) is Settled.LOST
    assert held.by_partition[PLACE].start == 0
    assert ids(held.hand_out(10)) == ["0", "1"]


def test_a_copy_that_failed_returns_by_itself(held, now):
    """A message whose next attempt could not be published stays with its holder, and comes again if that is gone."""
    held.took(PLACE, [record(0)])
    (delivery,) = held.hand_out(1)
    entry = held.begin_copy(delivery)
    assert held.ack([delivery]) == [Settled.LOST]
    assert held.end_copy(entry, published=False, delay=5.0) is Settled.UNKNOWN
    assert not held.hand_out(1)
    now.now = 1005.0
    (second,) = held.hand_out(1)
    assert second.id == "0"
    assert held.ack([delivery]) == [Settled.LOST]
    assert held.ack([second]) == [Settled.DONE]
    assert held.out == 0


def test_a_holder_may_settle_after_a_failed_copy(held, now):
    """As long as it has not been handed out again, its holder may still decide about it."""
    held.took(PLACE, [record(0)])
    (delivery,) = held.hand_out(1)
    held.end_copy(held.begin_copy(delivery), published=False, delay=5.0)
    assert held.ack([delivery]) == [Settled.DONE]
    now.now = 1005.0
    assert not held.hand_out(1)


operations = st.lists(
    st.tuples(
        st.sampled_from(["read", "out", "ack", "release", "again", "copy", "tick"]), st.integers(0, 10**6)
    ),
    max_size=120,
)


@given(operations)
def test_order_and_accounts_hold_under_any_sequence(steps):
    """Whatever happens in whatever order: keys in order, nothing twice, nothing lost, commits behind the unfinished."""
    now = Now()
    held = Windows("q", now)
    held.begin([Window("t", 0, start=0)])
    published, out, done, moved = [], [], [], set()
    keys = {}
    for step, number in steps:
        if step == "read":
            key = ["a", "b", None][number % 3]
            offset = len(published)
            published.append(offset)
            keys[str(offset)] = key
            held.took(PLACE, [record(offset, key, due=now.now + number % 7 if number % 2 else 0.0)])
        elif step == "out":
            out += held.hand_out(number % 4)
        elif step == "tick":
            now.now += number % 5
        elif out:
            delivery = out.pop(number % len(out))
            if step == "ack":
                assert held.ack([delivery]) == [Settled.DONE]
                done.append(delivery.id)
            elif step == "release":
                assert held.release(delivery, number % 3) is Settled.DONE
            elif step == "again" or delivery.key is not None:
                assert held.again(delivery, again(delivery, delay=number % 3)) is Settled.DONE
            else:
                held.end_copy(held.begin_copy(delivery), published=True, delay=0.0)
                moved.add(delivery.id)
        busy = [delivery.key for delivery in out if delivery.key is not None]
        assert len(busy) == len(set(busy))
        assert held.out == len(out)
        unfinished = [offset for offset in published if str(offset) not in {*done, *moved}]
        assert held.by_partition[PLACE].start == (unfinished[0] if unfinished else len(published))
    while len(done) + len(moved) < len(published):
        now.now += 10
        for delivery in [*out, *held.hand_out(100)]:
            assert held.ack([delivery]) == [Settled.DONE]
            done.append(delivery.id)
        out = []
    for key in ("a", "b"):
        assert [one for one in done if keys[one] == key] == [str(o) for o in published if keys[str(o)] == key]
    assert sorted(int(one) for one in [*done, *moved]) == published


class Stepped(Now):
    """A wall clock that is set, beside one that goes on evenly."""

    def __init__(self):
        super().__init__()
        self.even = 5.0

    def monotonic(self):
        return self.even


@pytest.mark.parametrize("step", [3600.0, -3600.0])
def test_what_waits_here_does_not_follow_a_clock_that_is_set(step):
    """Retries in place, what was taken back, copies that failed and delays that were read wait as long as was said."""
    wall = Stepped()
    held = Windows("q", wall)
    held.begin([Window("t", 0, start=0)])
    held.took(PLACE, [record(0, "a"), record(1, "b"), record(2), record(3, due=1010.0), record(4, "c")])
    retried, returned, copied, _ = held.hand_out(10)
    held.again(retried, again(retried, delay=10.0))
    held.release(returned, 10.0)
    held.end_copy(held.begin_copy(copied), published=False, delay=10.0)
    wall.now += step
    assert held.wait() == 10.0
    wall.even += 9.0
    assert not held.hand_out(10)
    wall.even += 1.0
    assert sorted(ids(held.hand_out(10))) == ["0", "1", "2", "3"]


def test_a_delay_ends_by_the_clock_that_its_sender_had():
    """A record's time is a time of day: each reader compares it with its own clock."""
    wall = Stepped()
    held = Windows("q", wall)
    held.begin([Window("t", 0, start=0)])
    wall.now = 1009.0
    held.took(PLACE, [record(0, due=1010.0), record(1, "a", due=1009.0)])
    assert ids(held.hand_out(10)) == ["1"]
    wall.even += 1.0
    assert ids(held.hand_out(10)) == ["0"]
