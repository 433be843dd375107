"""Laws of queue names."""

from __future__ import annotations

import re

from hypothesis import assume, given
from hypothesis import strategies as st

from worker.messaging.naming import MAX_LENGTH, queue_name, slug

PORTABLE = re.compile(r"[a-z][a-z0-9-]{2,71}")
NAMES = st.from_regex(r"[A-Za-z][A-Za-z0-9_.\-]{0,127}", fullmatch=True)


@given(NAMES, NAMES)
def test_every_name_is_portable(application: str, type_name: str) -> None:
    """Every broker takes it, with room for a suffix, and it says the same each time."""
    name = queue_name(application, type_name)
    assert PORTABLE.fullmatch(name)
    assert "--" not in name
    assert not name.endswith("-")
    assert not name.startswith("goog")
    assert len(name) <= MAX_LENGTH
    assert name == queue_name(application, type_name)


@given(NAMES, NAMES, NAMES)
def test_types_of_other_words_have_other_queues(application: str, one: str, other: str) -> None:
    """Two types of an application share a queue's name only if they are the same words."""
    assume(slug(one) != slug(other))
    assert queue_name(application, one) != queue_name(application, other)


@given(NAMES, NAMES, NAMES)
def test_applications_of_other_words_have_other_queues(one: str, other: str, type_name: str) -> None:
    """Nor do two applications with a type of one name."""
    assume(slug(one) != slug(other))
    assume(not slug(one).startswith("goog") and not slug(other).startswith("goog"))  # those get a prefix
    assert queue_name(one, type_name) != queue_name(other, type_name)


@given(NAMES)
def test_a_slug_is_its_own_slug(name: str) -> None:
    """Writing it again changes nothing."""
    assert slug(slug(name)) == slug(name)
