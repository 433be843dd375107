"""A window commits up to the first unfinished message, whatever order they finish in."""

from hypothesis import given
from hypothesis import strategies as st

from transports.kafka import progress
from transports.kafka.window import DONE, DOUBTFUL, OUT, Entry, Window
from worker.messaging.transport import Delivery

offsets_with_gaps = st.lists(st.integers(0, 400), unique=True, max_size=60).map(sorted)


def read(window, offsets):
    entries = {}
    for offset in offsets:
        if not window.done_before(offset):
            entry = Entry(window, offset, None, size=1, state=OUT)
            window.add([entry])
            entries[offset] = entry
    return entries


@given(offsets_with_gaps, st.randoms(use_true_random=False))
def test_a_commit_never_passes_unfinished_work(offsets, chance):
    """Whatever finishes in whatever order: what may be committed is the first unfinished offset."""
    window = Window("t", 0, start=0)
    entries = read(window, offsets)
    left = set(offsets)
    for offset in chance.sample(offsets, len(offsets)):
        window.finish(entries[offset])
        left.discard(offset)
        expected = min(left) if left else offsets[-1] + 1
        assert window.start == expected


@given(offsets_with_gaps, st.data())
def test_a_crash_repeats_only_what_was_unfinished(offsets, data):
    """A consumer that takes a partition over from commit and notes skips exactly what was done, also over several lives."""
    done = set(data.draw(st.sets(st.sampled_from(offsets)))) if offsets else set()
    window = Window("t", 0, start=0)
    entries = read(window, offsets)
    for offset in done:
        window.finish(entries[offset])
    for _ in range(3):
        start = window.start
        window = Window("t", 0, start=start, earlier=progress.decode(start, window.progress()))
        upto = data.draw(st.integers(0, len(offsets)))
        seen = [offset for offset in offsets if offset >= start][:upto]
        entries = read(window, seen)
        assert set(entries) == set(seen) - done
        for offset, entry in entries.items():
            if data.draw(st.booleans()):
                window.finish(entry)
                done.add(offset)


def test_a_window_without_commit_has_nothing_to_commit():
    """While nothing was read and nothing committed, nothing is committed."""
    assert Window("t", 0).start is None
    assert Window("t", 0).progress() == ""


def test_a_window_is_full_by_entries_or_bytes():
    """What is unfinished bounds what is read."""
    window = Window("t", 0, start=0, limit=(3, 100))
    entries = read(window, [0, 1])
    assert not window.full
    window.add([Entry(window, 2, None, size=1)])
    assert window.full
    window.finish(entries[0])
    assert window.start == 1
    assert not window.full
    window.add([Entry(window, 3, None, size=200)])
    assert window.full


def test_a_finished_entry_lets_go_of_its_body():
    """What waits in the window for its predecessors holds no memory."""
    window = Window("t", 0, start=0)
    entry = read(window, [4])[4]
    window.finish(entry)
    assert entry.delivery is None
    assert entry.state is DONE


def test_a_partition_is_said_to_be_held_from_its_first_message_until_it_is_let_go():
    """The first message must wait for that to be committed, at an offset that is known then; others need not."""
    window = Window("t", 0)
    assert window.hold(7)
    assert not window.hold(8)
    assert window.start == 7
    assert progress.held(window.progress())
    window.let_go()
    assert not progress.held(window.progress())


def test_a_partition_that_goes_on_in_order_still_tells_of_a_dead_holder_while_its_messages_are_not_done():
    """The consumer that had it in between had perhaps not come to the message that kills."""
    unread = Window("t", 0, start=5, orphaned=True)
    unread.let_go()
    assert progress.held(unread.progress())
    window = Window("t", 0, start=5, orphaned=True)
    window.hold(5)
    entries = [Entry(window, offset, None, size=1, state=OUT) for offset in (5, 6)]
    for entry in entries:
        entry.delivery = Delivery(queue="q", id="m", body=b"", receipt=entry, redelivered=True)
    window.add(entries)
    window.finish(entries[0])
    window.let_go()
    assert progress.held(window.progress())
    window.finish(entries[1])
    window.let_go()
    assert not progress.held(window.progress())


def test_what_a_dead_holder_may_have_had_in_hand_is_doubtful():
    """The first messages of an orphaned partition are, others never; what one batch brings is one or the other."""
    assert not Window("t", 0, start=1).doubted(1)
    window = Window("t", 0, start=1, orphaned=True)
    assert window.doubted(DOUBTFUL - 1)
    assert window.doubted(5)
    assert not window.doubted(1)
