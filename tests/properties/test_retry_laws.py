"""Laws of the retry policy."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from worker.errors import Recoverable, Unrecoverable
from worker.messaging.retry import GiveUp, Retry, TryAgain, decide

SECONDS = st.floats(0, 1e6)
CHANCE = st.floats(0, 1, exclude_max=True)
RETRY = st.integers(1, 2000)
POLICIES = st.builds(
    Retry,
    max_retries=st.integers(0, 50),
    delay=SECONDS,
    multiplier=st.floats(1, 100),
    max_delay=SECONDS,
    jitter=st.floats(0, 1),
)


@given(POLICIES, RETRY, CHANCE)
def test_a_delay_is_never_shorter_than_its_base(policy: Retry, retry: int, chance: float) -> None:
    """Jitter only lengthens, and a later retry never waits less than the first would, up to the cap."""
    assert policy.delay_before(retry, chance) >= policy.delay_before(retry)
    assert policy.delay_before(retry, chance) >= min(policy.delay, policy.max_delay)


@given(POLICIES, RETRY, CHANCE)
def test_a_delay_is_at_most_the_cap_and_its_jitter(policy: Retry, retry: int, chance: float) -> None:
    """However late the retry."""
    assert policy.delay_before(retry, chance) <= policy.max_delay * (1 + policy.jitter)


@given(POLICIES, RETRY, RETRY)
def test_delays_do_not_shrink(policy: Retry, one: int, other: int) -> None:
    """A later retry waits at least as long as an earlier one, at the same chance."""
    first, last = sorted((one, other))
    assert policy.delay_before(first) <= policy.delay_before(last)


@given(POLICIES, st.integers(1, 100), CHANCE)
def test_attempts_are_the_first_and_the_retries(policy: Retry, attempt: int, chance: float) -> None:
    """An ordinary error is retried exactly ``max_retries`` times."""
    again = isinstance(decide(ValueError(), attempt, policy, lambda: chance), TryAgain)
    assert again is (attempt <= policy.max_retries)


@given(POLICIES, st.integers(1, 100), CHANCE, st.none() | SECONDS)
def test_what_a_handler_says_goes_before_the_policy(
    policy: Retry, attempt: int, chance: float, delay: float | None
) -> None:
    """Recoverable is always retried, Unrecoverable never, whatever the attempt."""
    decision = decide(Recoverable(delay=delay), attempt, policy, lambda: chance)
    assert decision == TryAgain(policy.delay_before(attempt, chance) if delay is None else delay)
    assert decide(Unrecoverable(), attempt, policy, lambda: chance) == GiveUp()
