"""Many messages at once: what is wrong with some of them is told with their places."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from worker.errors import Fault, InvalidMessage, PublishFailed
from worker.messaging.envelope import Envelope
from worker.texts import told

T = TypeVar("T")

_NAMED = 3
"""Errors that a text has."""


def each(messages: Sequence[Any], check: Callable[[Any], T]) -> list[T]:
    """Check every message; what is wrong with any of them comes together.

    Raises:
        InvalidMessage: each pointer begins with the place of its message, from 0.
    """
    found: list[T] = []
    wrong: dict[int, InvalidMessage] = {}
    for place, message in enumerate(messages):
        try:
            found.append(check(message))
        except InvalidMessage as error:
            wrong[place] = error
    if wrong:
        faults = [
            Fault(f"/{place}{fault.pointer}", fault.message)
            for place, error in wrong.items()
            for fault in error.faults
        ]
        names = dict.fromkeys(error.type_name for error in wrong.values())
        raise InvalidMessage(", ".join(names), faults)
    return found


def all_sent(outcomes: Sequence[Envelope[Any] | BaseException]) -> list[Envelope[Any]]:
    """Return the envelopes, where there are all.

    Raises:
        PublishFailed: some are errors; ``failed`` has them by place.
    """
    failed = {place: one for place, one in enumerate(outcomes) if isinstance(one, BaseException)}
    if not failed:
        return [one for one in outcomes if isinstance(one, Envelope)]
    some = "; ".join(f"{place}: {told(error)}" for place, error in list(failed.items())[:_NAMED])
    more = f"; and {len(failed) - _NAMED} more" if len(failed) > _NAMED else ""
    raise PublishFailed(
        f"{len(failed)} of {len(outcomes)} messages were not sent, by place: {some}{more}",
        unknown=any(isinstance(error, PublishFailed) and error.unknown for error in failed.values()),
        failed=failed,
    ) from next(iter(failed.values()))
