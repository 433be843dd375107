"""How an existing subscription differs from what it must be, and the command that mends each difference."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

FEWEST_ATTEMPTS = 20
"""Deliveries before a message is put aside, at least: give-backs count too."""
_ANEW = "cannot be changed: let it run empty, delete the subscription, and run: worker setup"


def differences(name: str, project: str, wanted: Any, found: Any) -> Iterator[str]:
    """Name each difference.

    Args:
        name: of the subscription, short.
        project: id of the project.
        wanted: as ``worker setup`` would make it.
        found: as it is.
    """
    update = f"gcloud pubsub subscriptions update {name} --project={project}"
    if found.topic != wanted.topic:
        yield f"reads {found.topic}, expected {wanted.topic}; {_ANEW}"
    ordered = wanted.enable_message_ordering
    if found.enable_message_ordering != ordered:
        has = _on(found.enable_message_ordering)
        yield f"has message ordering {has}, expected {_on(ordered)} (types with key=); {_ANEW}"
    once = wanted.enable_exactly_once_delivery
    if found.enable_exactly_once_delivery != once:
        option = f"--{'' if once else 'no-'}enable-exactly-once-delivery"
        has = _on(found.enable_exactly_once_delivery)
        yield f"has exactly-once delivery {has}, expected {_on(once)}; {update} {option}"
    if found.filter:
        yield f"has the filter {found.filter!r}, which drops messages; {_ANEW}"
    if found.push_config.push_endpoint:
        yield f"is pushed, expected pulled; {update} --push-endpoint="
    yield from _times(update, wanted, found)
    yield from _aside(update, wanted.dead_letter_policy, found.dead_letter_policy)


def _times(update: str, wanted: Any, found: Any) -> Iterator[str]:
    seconds = wanted.ack_deadline_seconds
    if found.ack_deadline_seconds != seconds:
        has = f"{found.ack_deadline_seconds} s"
        yield f"has a deadline of {has}, expected {seconds} s (lease); {update} --ack-deadline={seconds}"
    kept = wanted.message_retention_duration.seconds
    if found.message_retention_duration.seconds != kept:
        has = f"{found.message_retention_duration.seconds} s"
        option = f"--message-retention-duration={kept}s"
        yield f"keeps messages for {has}, expected {kept} s (retention); {update} {option}"
    if found.expiration_policy.ttl.seconds or not found.HasField("expiration_policy"):
        yield f"expires when it is idle, expected never; {update} --expiration-period=never"


def _aside(update: str, wanted: Any, found: Any) -> Iterator[str]:
    dead, most = wanted.dead_letter_topic, wanted.max_delivery_attempts
    if dead and (found.dead_letter_topic != dead or found.max_delivery_attempts < FEWEST_ATTEMPTS):
        has = f"{found.dead_letter_topic or 'nowhere'} after {found.max_delivery_attempts} deliveries"
        option = f"--dead-letter-topic={dead} --max-delivery-attempts={most}"
        yield f"puts messages aside to {has}, expected {dead} after {FEWEST_ATTEMPTS} at least; {update} {option}"


def _on(flag: bool) -> str:
    return "on" if flag else "off"
