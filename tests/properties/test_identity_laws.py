"""Laws of message ids."""

from __future__ import annotations

from uuid import UUID

from hypothesis import assume, given
from hypothesis import strategies as st

from worker.messaging.identity import derive_id, is_id, new_id

MILLISECONDS = st.integers(0, 2**48 - 2)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]))


def made(milliseconds: int) -> str:
    """An id of that moment; half a millisecond keeps clear of rounding."""
    return new_id((milliseconds + 0.5) / 1000)


@given(st.integers(0, 2**43), st.integers(0, 2**43))
def test_ids_sort_by_time(one: int, other: int) -> None:
    """As text and as numbers, to the millisecond."""
    assume(one != other)
    first, last = made(min(one, other)), made(max(one, other))
    assert first < last
    assert UUID(first) < UUID(last)


@given(st.uuids().map(str) | TEXTS, st.lists(TEXTS | st.integers()))
def test_a_derived_id_is_a_uuid_of_version_7_and_always_the_same(parent: str, parts: list[object]) -> None:
    """Whatever it derives from."""
    derived = derive_id(parent, *parts)
    assert derived == derive_id(parent, *parts)
    assert is_id(derived)
    assert (UUID(derived).version, UUID(derived).variant) == (7, "specified in RFC 4122")


@given(st.integers(0, 2**43), TEXTS)
def test_a_derived_id_is_as_old_as_its_parent(milliseconds: int, part: str) -> None:
    """It sorts beside what caused it."""
    parent = made(milliseconds)
    assert UUID(derive_id(parent, part)).int >> 80 == UUID(parent).int >> 80


@given(st.uuids().map(str), st.sets(st.tuples(st.from_regex(r"[a-z.]+", fullmatch=True), st.integers(0, 99))))
def test_derived_ids_differ_by_handler_and_place(parent: str, causes: set[tuple[str, int]]) -> None:
    """Each message of each handler is another."""
    assert len({derive_id(parent, handler, place) for handler, place in causes}) == len(causes)
