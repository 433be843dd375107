"""Filters, read from text."""

from __future__ import annotations

import pytest

from worker.errors import InvalidMessage
from worker.failed.filters import parse_filter
from worker.messaging.failure import Filter

NOW = 1_800_000_000.0


def test_nothing_given_chooses_everything():
    """No value is no condition."""
    assert parse_filter({}, NOW) == Filter()


def test_texts_are_taken_as_they_are():
    """Type, transport, queue, error and group are compared as given."""
    values = {"type": "A", "transport": "t", "queue": "q", "error": "E", "group": "g"}
    assert parse_filter(values, NOW) == Filter(**values)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("2027-01-15T08:00:00Z", NOW),
        ("2027-01-15T09:00:00+01:00", NOW),
        ("90s", NOW - 90),
        ("15m", NOW - 900),
        ("2h", NOW - 7200),
        ("7d", NOW - 604_800),
        ("2w", NOW - 1_209_600),
    ],
)
def test_times_are_moments_or_ages(text, seconds):
    """A time is RFC 3339 with an offset, or counts back from now."""
    assert parse_filter({"since": text}, NOW).since == seconds
    assert parse_filter({"until": text}, NOW).until == seconds


@pytest.mark.parametrize(
    ("values", "pointers"),
    [
        ({"since": "yesterday"}, ["/since"]),
        ({"since": "2027-01-15T08:00:00"}, ["/since"]),
        ({"until": ""}, ["/until"]),
        ({"until": "2y"}, ["/until"]),
        ({"colour": "red"}, ["/colour"]),
        ({"type": ""}, ["/type"]),
        ({"queue": "a\0b"}, ["/queue"]),
        ({"since": "1h", "until": "2h"}, ["/since"]),
        ({"since": "x", "until": "y", "error": ""}, ["/error", "/since", "/until"]),
    ],
)
def test_every_bad_value_is_named(values, pointers):
    """All faults come together, each with the name of its value."""
    with pytest.raises(InvalidMessage) as caught:
        parse_filter(values, NOW)
    assert sorted(fault.pointer for fault in caught.value.faults) == pointers
