"""The context: what a handler knows, and what it notes."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tests.unit.test_seconds import WRONG_SPANS
from worker.errors import UsageError
from worker.messaging.context import Context
from worker.messaging.envelope import Envelope
from worker.messaging.stamps import Handled, Received, Stamp, Token


class Work:
    session = "the session"


def context_of(*stamps: Stamp, work: Any = None, **options: Any) -> Context:
    envelope: Envelope[str] = Envelope(message="m", type="Go", id="7", attempt=2, stamps=stamps)
    return Context(
        envelope, None if work is None else lambda _id: work, lambda it: ("log of", it.id), **options
    )


def test_a_context_tells_what_the_envelope_knows() -> None:
    """Id, attempt, token, transport and finished handlers are the envelope's."""
    context = context_of(Token("web"), Received("sqlite", "q"), Handled(("a",)))
    assert (context.message_id, context.attempt, context.token, context.transport, context.handled) == (
        "7",
        2,
        "web",
        "sqlite",
        ("a",),
    )


def test_what_is_not_known_is_none() -> None:
    """Handled inline and without token there is neither; the correlation is the message's own id."""
    context = context_of()
    assert (context.token, context.transport, context.handled, context.correlation_id) == (
        None,
        None,
        (),
        "7",
    )


def test_the_log_is_made_once_and_only_when_used() -> None:
    """Binding a logger costs nothing where nothing is logged."""
    made: list[str] = []
    envelope: Envelope[str] = Envelope(message="m", type="Go", id="7")

    def make(it: Envelope[Any]) -> str:
        made.append(it.id)
        return "log"

    context = Context(envelope, None, make)
    assert made == []
    assert (context.log, context.log, made) == ("log", "log", ["7"])


def test_the_session_is_the_unit_of_works() -> None:
    """What a handler writes belongs to its own transaction."""
    assert context_of(work=Work()).session == "the session"


def test_a_session_needs_a_database() -> None:
    """Without one the error says what to set."""
    with pytest.raises(UsageError, match=r"\[database\] url"):
        _ = context_of().session


def test_what_is_noted_keeps_its_order() -> None:
    """Events and commands leave in the order in which they were noted."""
    context = context_of()
    context.record("event")
    context.dispatch("command", delay=2.5)
    context.dispatch("later", delay=timedelta(minutes=1))
    context.dispatch("last")
    assert context.noted == [("event", 0.0), ("command", 2.5), ("later", 60.0), ("last", 0.0)]


@pytest.mark.parametrize("delay", WRONG_SPANS)
def test_a_wrong_delay_is_refused_where_it_is_said(delay: Any) -> None:
    """And nothing is noted."""
    context = context_of()
    with pytest.raises(UsageError, match=r"dispatch\(delay=.*expected a finite number of seconds"):
        context.dispatch("command", delay=delay)
    assert context.noted == ()


def test_the_remaining_time_counts_down_to_nought() -> None:
    """Seconds to the timeout, never below 0."""
    now = [100.0]
    context = context_of(_deadline=110.0, _now=lambda: now[0])
    seen = []
    for moment in (100.0, 107.5, 111.0):
        now[0] = moment
        seen.append(context.remaining)
    assert seen == [10.0, 2.5, 0.0]


def test_without_a_timeout_no_time_remains_to_be_told() -> None:
    """Unknown is None, not 0."""
    assert context_of().remaining is None
