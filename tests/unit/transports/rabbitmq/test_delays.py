"""The ladder of delays: any delay finds its way down, waits long enough, and never at a rung twice."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from transports.rabbitmq import delays
from transports.rabbitmq.steps import ExchangeBinding, Queue, QueueBinding


def matches(pattern: str, key: str) -> bool:
    """What a topic exchange does."""
    words = [{"*": r"[^.]*", "#": r".*"}.get(word, re.escape(word)) for word in pattern.split(".")]
    return re.fullmatch(r"\.".join(words), key) is not None


def route(key: str) -> tuple[float, list[str]]:
    """Walk the ladder as the broker does: the seconds waited, and the bindings at its foot that match."""
    steps = delays.ladder("quorum")
    rungs = {step.name: step.arguments for step in steps if isinstance(step, Queue)}
    times = {name: arguments["x-message-ttl"] / 1000 for name, arguments in rungs.items()}
    below = {name: arguments["x-dead-letter-exchange"] for name, arguments in rungs.items()}
    queues = [(s.exchange, s.pattern, s.queue) for s in steps if isinstance(s, QueueBinding)]
    passes = [(s.source, s.pattern, s.exchange) for s in steps if isinstance(s, ExchangeBinding)]
    place, waited = delays.entrance("quorum"), 0.0
    while place != delays.exchange("quorum", -1):
        (step,) = [
            *[
                ("wait", queue)
                for source, pattern, queue in queues
                if source == place and matches(pattern, key)
            ],
            *[("pass", to) for source, pattern, to in passes if source == place and matches(pattern, key)],
        ]
        if step[0] == "wait":
            waited += times[step[1]]
            place = below[step[1]]
        else:
            place = step[1]
    bound = [delays.binding("quorum", queue) for queue in ("jobs", "a.b", "b")]
    return waited, [binding.queue for binding in bound if matches(binding.pattern, key)]


@given(st.floats(0.001, 100_000), st.sampled_from(["jobs", "a.b", "b"]))
def test_a_delay_is_waited_for_and_little_more(delay: float, queue: str) -> None:
    """Never early, at most one unit late, and it comes out at its own queue only."""
    waited, reached = route(delays.routing_key(queue, delay))
    assert delay - 1e-6 <= waited <= delay + delays.UNIT + 1e-6
    assert reached == [queue]


def test_the_longest_delay_uses_every_rung() -> None:
    """What is longer than the ladder is cut to it; callers keep it elsewhere before."""
    waited, _ = route(delays.routing_key("jobs", delays.LONGEST))
    assert round(waited, 3) == round(delays.LONGEST, 3)
