"""How the processes of a run share the tests."""

from __future__ import annotations

from tests.shares import alternating, share


def test_what_starts_something_for_a_whole_file_stays_together():
    path = "tests/faults/test_kafka.py"
    assert share(f"{path}::test_broker_killed") == path


def test_a_test_with_a_place_of_its_own_is_a_share_of_its_own():
    test = "tests/conformance/test_sqs.py::TestSqsFifo::test_c31[a::b]"
    assert share(test) == test


def test_small_tests_go_by_files():
    assert share("tests/unit/messaging/test_bus.py::test_one[x]") == "tests/unit/messaging/test_bus.py"


def test_what_waits_alternates_with_what_works():
    assert "".join(alternating("ABCDEF", "xyz")) == "ABxCDyEFz"
