"""The commands that pause and resume consumers; handled at once, never queued, on the application's command bus."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

ConsumerKind = Literal["commands", "events"]


class ResumeConsumers(msgspec.Struct, frozen=True, kw_only=True):
    """Take messages again, whichever actor paused them.

    Nothing named means everything. Several members add up.

    Attributes:
        types: wire names, aliases, or patterns like ``catalog.*``.
        queues: names or patterns of queues.
        kinds: ``commands``, ``events``.
        actor: who asks for it, as shown.
        reason: why, for the record.
    """

    types: tuple[str, ...] = ()
    queues: tuple[str, ...] = ()
    kinds: tuple[ConsumerKind, ...] = ()
    actor: str = "application"
    reason: str | None = None


class PauseConsumers(msgspec.Struct, frozen=True, kw_only=True):
    """Start nothing of these types in any worker, until they are resumed; what runs finishes.

    Nothing named means everything, also what is declared later. Several members add up.

    Attributes:
        types: wire names, aliases, or patterns like ``catalog.*``.
        queues: names or patterns of queues.
        kinds: ``commands``, ``events``.
        actor: who asks for it, as shown.
        reason: why, as shown.
        seconds: after which it ends by itself; None for never.
        shared: whether types may be held that were not named, as they share a queue with one that was.
    """

    types: tuple[str, ...] = ()
    queues: tuple[str, ...] = ()
    kinds: tuple[ConsumerKind, ...] = ()
    actor: str = "application"
    reason: str | None = None
    seconds: Annotated[float, msgspec.Meta(gt=0)] | None = None
    shared: bool = False


class Controlled(msgspec.Struct, frozen=True):
    """What a pause or resume came to.

    Attributes:
        version: that workers must apply.
        types: that it is about.
        changed: those of them that were not so before: that ran, or that were paused.
    """

    version: int
    types: tuple[str, ...]
    changed: tuple[str, ...] = ()
