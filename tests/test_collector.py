"""What a run keeps until its end costs the collector nothing, and logs no drawn tracebacks."""

from __future__ import annotations

import gc

import structlog.dev

from tests import collector


def test_what_is_there_before_the_tests_is_set_apart() -> None:
    assert gc.isenabled()
    assert gc.get_freeze_count() > len(gc.get_objects())


def test_a_program_that_ends_is_no_reason_to_look_at_it_again() -> None:
    gc.unfreeze()
    collector.pytest_runtest_teardown()
    assert gc.get_freeze_count()


def test_tracebacks_are_not_drawn() -> None:
    assert structlog.dev.default_exception_formatter is structlog.dev.plain_traceback
