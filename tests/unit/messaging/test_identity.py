"""Message ids: UUIDv7, and ids that follow from others."""

from __future__ import annotations

from uuid import UUID

import pytest

from worker.messaging.identity import derive_id, is_id, new_id

PARENT = "01920000-0000-7000-8000-000000000001"


def test_a_new_id_is_a_uuid_of_version_7_with_the_time_in_front() -> None:
    """Version and variant are those of RFC 9562, the first 48 bits are milliseconds."""
    made = UUID(new_id(1_700_000_000.123))
    assert (made.version, made.variant) == (7, "specified in RFC 4122")
    assert made.int >> 80 == 1_700_000_000_123


def test_new_ids_of_one_moment_differ() -> None:
    """74 random bits tell ids of one millisecond apart."""
    assert len({new_id(1.0) for _ in range(1000)}) == 1000


def test_a_derived_id_is_always_the_same_and_as_old_as_its_parent() -> None:
    """A repeat of a handler's message is the same message, and sorts beside what caused it."""
    derived = derive_id(PARENT, "shop.place_order", 0)
    assert derived == derive_id(PARENT, "shop.place_order", 0)
    assert UUID(derived).version == 7
    assert derived[:13] == PARENT[:13]


def test_derived_ids_differ_by_parent_handler_and_place() -> None:
    """Each message that a handler sends has an id of its own."""
    assert len({derive_id(p, h, n) for p in (PARENT, "x") for h in ("a", "b") for n in range(5)}) == 20


def test_an_id_derives_from_a_parent_that_is_no_uuid() -> None:
    """Other producers' ids may be any text."""
    assert UUID(derive_id("order/7", 0)).int >> 80 == 0


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (PARENT, True),
        (PARENT.upper(), True),
        ("f47ac10b-58cc-4372-a567-0e02b2c3d479", True),
        (PARENT.replace("-", ""), False),
        (f"{{{PARENT}}}", False),
        (f"urn:uuid:{PARENT}", False),
        ("", False),
        ("7", False),
        ("g" * 36, False),
    ],
)
def test_an_id_is_a_uuid_in_its_usual_form(text: str, expected: bool) -> None:
    """Any version is taken, in lower or upper case, with its four dashes."""
    assert is_id(text) is expected
