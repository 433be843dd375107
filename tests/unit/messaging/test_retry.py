"""The retry policy: arithmetic and one decision."""

from __future__ import annotations

import math

import pytest

from worker.errors import HandlerTimeout, Recoverable, Reject, Unrecoverable
from worker.messaging.retry import Again, Decision, GiveUp, Retry, decide

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
    ],
)
def test_a_policy_that_makes_no_sense_is_refused(options: dict[str, float], field: str) -> None:
    """The error names the field, its value and what is expected."""
    with pytest.raises(ValueError, match=f"{field}.*expected"):
        Retry(**options)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("error", "attempt", "expected"),
    [
        (ValueError(), 1, Again(1.0)),
        (ValueError(), 3, Again(4.0)),
        (ValueError(), 4, GiveUp()),
        (HandlerTimeout(), 2, Again(2.0)),
        (Unrecoverable(), 1, GiveUp()),
        (Reject("no such customer"), 1, GiveUp()),
        (Recoverable(), 1, Again(1.0)),
        (Recoverable(), 99, Again(60.0)),
        (Recoverable(delay=7.5), 99, Again(7.5)),
        (Recoverable(delay=0.0), 1, Again(0.0)),
        (Recoverable(delay=-5.0), 1, Again(0.0)),
    ],
)
def test_an_error_and_the_attempt_decide(error: Exception, attempt: int, expected: Decision) -> None:
    """Recoverable is always retried, Unrecoverable never, anything else until the retries are used up."""
    assert decide(error, attempt, POLICY, lambda: 0.0) == expected


def test_without_retries_the_first_failure_is_the_last() -> None:
    """``max_retries=0`` gives up at once."""
    assert decide(ValueError(), 1, Retry(max_retries=0)) == GiveUp()


def test_a_delay_that_an_error_names_has_no_jitter() -> None:
    """What a handler asks for is what it gets."""
    assert decide(Recoverable(delay=2.0), 1, POLICY, lambda: 0.9) == Again(2.0)
