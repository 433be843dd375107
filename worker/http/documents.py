"""The documents that the intake answers with, as types. Those of failed messages, commands and health stand elsewhere.

Only their schemas are used, to describe the answers.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec

Time = Annotated[str, msgspec.Meta(extra_json_schema={"format": "date-time"})]


class InputFault(msgspec.Struct):
    """One thing wrong with the input; the pointer is RFC 6901."""

    pointer: str
    message: str


class Problem(msgspec.Struct):
    """RFC 9457 problem details."""

    type: str
    title: str
    status: int
    detail: str
    errors: list[InputFault] | msgspec.UnsetType = msgspec.UNSET
    instance: str | msgspec.UnsetType = msgspec.UNSET


class Accepted(msgspec.Struct):
    """A command that was taken; ``status`` is where its status is, or ``done``."""

    id: str
    type: str
    status: str


class Retried(msgspec.Struct):
    """How many failed messages were put back."""

    retried: int


class Edited(msgspec.Struct):
    """The failed message that was edited, and whether it was put back."""

    id: str
    edited: bool
    retried: int


class WorkerProcess(msgspec.Struct):
    """A worker process that is alive, and which version of the pauses it has applied."""

    id: str
    host: str
    pid: int
    started_at: Time
    seen_at: Time
    applied_version: int
    types: list[str]


class ConsumerPause(msgspec.Struct):
    """Why a type is paused, by whom, since when, and when that ends by itself."""

    reason: str | None
    actor: str
    since: Time
    until: Time | None


class Consumer(msgspec.Struct):
    """One type that is consumed: whether it is paused, how many workers know it, and what waits.

    What a broker cannot tell is null; ``consumers`` counts those that it knows of. ``lagging`` names the workers that have not applied the version yet.
    """

    type: str
    kind: Literal["command", "event"]
    transport: str
    queue: str
    paused: bool
    pause: ConsumerPause | None
    applied: str
    lagging: list[str]
    ready: int | None
    in_flight: int | None
    delayed: int | None
    consumers: int | None
    failed: int


class ExclusiveCommand(msgspec.Struct):
    """A command that runs alone, or waits until nothing else does; all others wait for it."""

    type: str
    worker: str
    since: Time


class Consumers(msgspec.Struct):
    """Worker processes, what is consumed, and the exclusive command that all others wait for, if any."""

    version: int
    workers: list[WorkerProcess]
    exclusive: ExclusiveCommand | None
    consumers: list[Consumer]


class ConsumersChanged(msgspec.Struct):
    """The version that workers must apply, and the types it is about; with ``Prefer: wait``, who has applied it.

    ``changed`` names those of the types that were not so before: that ran, or that were paused.
    """

    version: int | None
    types: list[str]
    changed: list[str]
    applied: str | msgspec.UnsetType = msgspec.UNSET
    lagging: list[str] | msgspec.UnsetType = msgspec.UNSET


class TokenSecret(msgspec.Struct):
    """A token that was stored; ``secret`` is null where it kept the one that it has."""

    id: str
    secret: str | None


class SchedulePause(msgspec.Struct):
    """Why a schedule is paused, by whom and since when."""

    reason: str | None
    actor: str
    since: Time


class ScheduleError(msgspec.Struct):
    """What went wrong the last time."""

    type: str
    message: str | None


class Schedule(msgspec.Struct):
    """A schedule: when it fires, by an expression (``cron``) or a length of time (``every``, seconds), and how it stands.

    ``next_at`` is the next time by the clock, also while it is paused. ``last_id`` is the first message that it sent then.
    """

    name: str
    timezone: str
    missed: Literal["skip", "once", "all"]
    paused: bool
    pause: SchedulePause | None
    next_at: Time | None
    last_at: Time | None
    last_id: str | None
    last_error: ScheduleError | None
    cron: str | msgspec.UnsetType = msgspec.UNSET
    every: float | msgspec.UnsetType = msgspec.UNSET


class SchedulerProcess(msgspec.Struct):
    """The process that fires the schedules, and since when."""

    worker: str
    since: Time


class Schedules(msgspec.Struct):
    """All schedules, and which process fires them; null where none does."""

    items: list[Schedule]
    scheduler: SchedulerProcess | None


class ScheduleChanged(msgspec.Struct):
    """How a schedule is now, and whether that is a change."""

    name: str
    paused: bool
    changed: bool


class ScheduleRun(msgspec.Struct):
    """The ids of the messages that a schedule sends."""

    name: str
    ids: list[str]


class Readiness(msgspec.Struct):
    """Whether requests should come here, and why not."""

    ready: bool
    reasons: list[str]


class BatchLine(msgspec.Struct):
    """One line of an NDJSON batch."""

    type: str
    data: Any
    id: str | None = None
    key: str | None = None
    delay: float = 0.0


class Root(msgspec.Struct):
    """What this service is, and where to read on."""

    title: str
    version: str
    documentation: str
    openapi: str
    health: str
