"""The retry policy: arithmetic and one decision."""

from __future__ import annotations

import math
from datetime import timedelta
from typing import Any

import pytest

from tests.unit.test_seconds import WRONG_SPANS
from worker.errors import HandlerTimeout, Recoverable, Reject, Unrecoverable, UsageError
from worker.messaging.retry import Decision, GiveUp, Retry, TryAgain, decide

POLICY = Retry(max_retries=3, delay=1.0, multiplier=2.0, max_delay=60.0, jitter=0.5)


def test_the_default_policy_is_the_contracts() -> None:
    """Three retries, one second, doubled each time, with a cap."""
    policy = Retry()
    assert [policy.delay_before(retry) for retry in (1, 2, 3)] == [1.0, 2.0, 4.0]
    assert (policy.max_retries, policy.max_delay) == (3, 3600.0)


def test_jitter_only_lengthens() -> None:
    """Chance places the delay between itself and itself plus the jitter's share."""
    assert [POLICY.delay_before(2, chance) for chance in (0.0, 0.5, 0.999)] == [2.0, 2.5, 2.0 * 1.4995]


@pytest.mark.parametrize("retry", [7, 100, 5000])
def test_a_delay_is_capped_before_jitter(retry: int) -> None:
    """However late the retry, its delay is the cap, lengthened by the jitter."""
    assert [POLICY.delay_before(retry, chance) for chance in (0.0, 0.5)] == [60.0, 75.0]


def test_no_delay_stays_none_however_late_the_retry() -> None:
    """Nought times a power too large for a number is still nought."""
    assert Retry(delay=0.0).delay_before(5000) == 0.0


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"max_retries": -1}, "max_retries=-1"),
        ({"delay": -0.1}, "delay=-0.1"),
        ({"max_delay": -1.0}, "max_delay=-1.0"),
        ({"multiplier": 0.5}, "multiplier=0.5"),
        ({"jitter": 1.1}, "jitter=1.1"),
        ({"jitter": -0.1}, "jitter=-0.1"),
        ({"delay": math.nan}, "delay=nan"),
        ({"multiplier": math.nan}, "multiplier=nan"),
        ({"jitter": math.nan}, "jitter=nan"),
        ({"delay": math.inf}, "delay=inf"),
        ({"delay": True}, "delay=True"),
        ({"delay": "5"}, "delay='5'"),
        ({"max_delay": 1e300}, "max_delay=1e\\+300"),
        ({"multiplier": math.inf}, "multiplier=inf"),
        ({"multiplier": "2"}, "multiplier='2'"),
        ({"jitter": "0.1"}, "jitter='0.1'"),
        ({"max_retries": 1.5}, "max_retries=1.5"),
        ({"max_retries": True}, "max_retries=True"),
    ],
)
def test_a_policy_that_makes_no_sense_is_refused(options: dict[str, float], field: str) -> None:
    """The error names the field, its value and what is expected."""
    with pytest.raises(ValueError, match=f"{field}.*expected"):
        Retry(**options)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("error", "attempt", "expected"),
    [
        (ValueError(), 1, TryAgain(1.0)),
        (ValueError(), 3, TryAgain(4.0)),
        (ValueError(), 4, GiveUp()),
        (HandlerTimeout(), 2, TryAgain(2.0)),
        (Unrecoverable(), 1, GiveUp()),
        (Reject("no such customer"), 1, GiveUp()),
        (Recoverable(), 1, TryAgain(1.0)),
        (Recoverable(), 99, TryAgain(60.0)),
        (Recoverable(delay=7.5), 99, TryAgain(7.5)),
        (Recoverable(delay=0.0), 1, TryAgain(0.0)),
    ],
)
def test_an_error_and_the_attempt_decide(error: Exception, attempt: int, expected: Decision) -> None:
    """Recoverable is always retried, Unrecoverable never, anything else until the retries are used up."""
    assert decide(error, attempt, POLICY, lambda: 0.0) == expected


def test_without_retries_the_first_failure_is_the_last() -> None:
    """``max_retries=0`` gives up at once."""
    assert decide(ValueError(), 1, Retry(max_retries=0), lambda: 0.5) == GiveUp()


def test_a_delay_that_an_error_names_has_no_jitter() -> None:
    """What a handler asks for is what it gets."""
    assert decide(Recoverable(delay=2.0), 1, POLICY, lambda: 0.9) == TryAgain(2.0)


def test_a_policy_takes_timedeltas() -> None:
    """They are read as their seconds."""
    policy = Retry(delay=timedelta(minutes=1), max_delay=timedelta(minutes=3))
    assert [policy.delay_before(retry) for retry in (1, 2, 3)] == [60.0, 120.0, 180.0]


@pytest.mark.parametrize("delay", WRONG_SPANS)
def test_a_recoverable_with_a_wrong_delay_is_refused_where_it_is_made(delay: Any) -> None:
    """What was meant cannot be known: the handler's own line is what fails."""
    with pytest.raises(UsageError, match=r"Recoverable\(delay=.*expected a finite number of seconds"):
        Recoverable("later", delay=delay)


def test_a_recoverable_takes_a_timedelta() -> None:
    """It is read as its seconds."""
    assert decide(Recoverable(delay=timedelta(minutes=2)), 1, POLICY, lambda: 0.5) == TryAgain(120.0)


@pytest.mark.parametrize("delay", WRONG_SPANS)
def test_a_wrong_delay_of_a_class_derived_from_recoverable_is_wrong_use(delay: Any) -> None:
    """It may have set its delay past the check."""

    class Later(Recoverable):
        def __init__(self) -> None:
            self.delay = delay

    with pytest.raises(UsageError, match=r"Later\(delay="):
        decide(Later(), 1, POLICY, lambda: 0.5)


def test_a_class_derived_from_recoverable_that_sets_no_delay_takes_the_policys() -> None:
    """Its constructor need not call the one above."""

    class Later(Recoverable):
        def __init__(self) -> None:
            pass

    assert decide(Later(), 1, Retry(jitter=0.0), lambda: 0.5) == TryAgain(1.0)


def test_wrong_use_is_not_retried() -> None:
    """The same call would be as wrong the next time."""
    assert decide(UsageError("no"), 1, POLICY, lambda: 0.5) == GiveUp()
