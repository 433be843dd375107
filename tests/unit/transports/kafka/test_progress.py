"""What is done beyond a commit survives in its metadata."""

import itertools

from hypothesis import given
from hypothesis import strategies as st

from transports.kafka import progress

gaps = st.lists(st.tuples(st.integers(0, 10**6), st.integers(1, 10**5)), max_size=200)


def ranges_of(base, pairs):
    at, found = base, []
    for gap, length in pairs:
        first = at + gap + (1 if found else 0)
        at = first + length
        found.append((first, at))
    return found


@given(st.integers(0, 2**50), gaps)
def test_what_is_written_is_read(base, pairs):
    """Ranges come back as they were, or a beginning of them where they do not fit."""
    ranges = ranges_of(base, pairs)
    text = progress.encode(base, ranges)
    read = progress.decode(base, text)
    assert read == ranges[: len(read)]
    assert len(text) <= progress.LIMIT
    assert len(read) == len(ranges) or len(text) > progress.LIMIT - 20


@given(st.text(max_size=50))
def test_what_others_wrote_claims_nothing_wrong(text):
    """Foreign metadata never makes an offset below the commit done, and never raises."""
    assert all(first >= 7 and end > first - 1 for first, end in progress.decode(7, text))


@given(st.sets(st.integers(0, 500)))
def test_offsets_join_into_ranges(offsets):
    """Joined ranges hold exactly the offsets, ascending and apart."""
    ranges = list(progress.joined(sorted(offsets)))
    assert {offset for first, end in ranges for offset in range(first, end)} == offsets
    assert all(before[1] < after[0] for before, after in itertools.pairwise(ranges))


def test_nothing_done_writes_nothing():
    """A commit without anything done beyond it carries no notes."""
    assert progress.encode(5, []) == ""
    assert progress.decode(5, "") == []


@given(st.integers(0, 2**50), gaps, st.booleans())
def test_the_holder_is_told_of_beside_what_is_done(base, pairs, held):
    """Whether a partition is held is read as it was written, and costs nothing of what is done; both fit."""
    ranges = ranges_of(base, pairs)
    text = progress.encode(base, ranges, held=held)
    read = progress.decode(base, text)
    assert progress.held(text) is held
    assert read == ranges[: len(read)]
    assert len(text) <= progress.LIMIT


@given(st.text(max_size=50))
def test_what_others_wrote_of_a_holder_never_raises(text):
    """Foreign metadata is read as something or other."""
    assert progress.held("2" + text) is False
    progress.held(text)
