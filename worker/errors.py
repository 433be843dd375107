"""Every error the product raises, as one tree; whether a retry can help is part of the type.

WorkerError
├── ConfigurationError          wrong settings or declarations, all faults in one (exit 2)
├── UsageError                  a call that asks for something that cannot be (exit 2); no retry
│   └── WrongMiddleware         a middleware of the application returned no envelope, or another message's (HTTP 500)
├── NotFound                    a named thing does not exist (exit 4, HTTP 404)
│   └── UnknownType             no message of that name is declared
├── Guarded                     refused by a guard, say so explicitly to go on (exit 5, HTTP 409)
│   ├── Taken                   an identifier, or what is unique beside it, is taken; names the field
│   └── Stale                   an object has been changed since it was read
├── Forbidden                   the token may not do this (exit 5, HTTP 403)
├── LimitReached                the token has sent as much as it may (exit 5, HTTP 429)
├── Malformed                   bytes that cannot be read as JSON or MessagePack; says where (HTTP 400)
├── InvalidMessage              data that does not fit its type: a list of pointers and messages (HTTP 422)
├── Unavailable                 something outside does not answer; charges no attempt (exit 3, HTTP 503)
│   ├── TransportUnavailable    a broker
│   │   └── PublishFailed       a broker did not take a message, or it is not known whether it did
│   └── DatabaseUnavailable     the state database, or that of documents
├── HandlersFailed              some of a message's handlers failed; carries which, and what is done
├── AbruptEnd                   code raised what is no Exception, such as SystemExit; a failure like any other
├── HandlerTimeout              a handler ran past its timeout; follows the retry policy
├── ScheduleFailed              a schedule's function raised, or returned what cannot be sent (exit 1, HTTP 500)
├── StepFailed                  a step of an action raised; carries step, action, group and cause
├── PoisonMessage               a message whose worker died with it too often
├── Unrecoverable               raised by handlers: no retry
│   └── Reject                  raised by handlers: to the failure store at once, with a reason
└── Recoverable                 raised by handlers: always retried

Paused stands apart, as cancellation does: a message that may not start now has not failed, and no middleware
that catches errors shall take it for one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import NamedTuple

from worker.seconds import seconds_of
from worker.texts import told


class WorkerError(Exception):
    """Root of every error that the product raises."""


class ConfigurationError(WorkerError):
    """Settings or declarations are wrong; carries every fault found, not the first.

    Args:
        faults: one sentence each, naming the key or declaration, its value and what is expected.
    """

    def __init__(self, faults: str | Sequence[str]) -> None:
        self.faults: tuple[str, ...] = (faults,) if isinstance(faults, str) else tuple(faults)
        lines = self.faults[0] if len(self.faults) == 1 else "\n".join(f"- {fault}" for fault in self.faults)
        count = f"{len(self.faults)} faults:\n" if len(self.faults) > 1 else ""
        super().__init__(count + lines)


class UsageError(WorkerError):
    """A call asks for something that cannot be done as asked. Out of a handler it is not retried: no retry can help."""


class WrongMiddleware(UsageError):
    """A middleware broke its promise: what it returned or passed on is no envelope of the message. Names it."""


class ScheduleFailed(WorkerError):
    """A schedule that was to fire now could not: its function raised, or returned what cannot be sent."""


class StepFailed(WorkerError):
    """A step of an action raised; nothing after it was run, but the steps that put an end to a failed chain.

    Attributes:
        step: its name.
        action: name of the action whose chain it is in.
        group: of the step; None where it has none.
        cause: what it raised; also its ``__cause__``.
    """

    def __init__(self, step: str, action: str, group: str | None, cause: BaseException) -> None:
        self.step = step
        self.action = action
        self.group = group
        self.cause = cause
        where = "" if group is None else f", group {group!r}"
        super().__init__(f"step {step} of action {action!r}{where} failed: {told(cause)}")


class NotFound(WorkerError):
    """A named thing does not exist."""


class UnknownType(NotFound):
    """No message of that wire name is declared in the application.

    Attributes:
        name: that one.
        hint: names that are known, as the error's text ends with them.
    """

    def __init__(self, name: str, known: Sequence[str] = ()) -> None:
        self.name = name
        self.hint = f"; known: {', '.join(known[:20])}" if known else ""
        super().__init__(f"unknown message type {name!r}{self.hint}")


class Guarded(WorkerError):
    """A guard refused: the call would destroy or overwrite something and did not say that it may."""


class Taken(Guarded):
    """An identifier, or what is unique beside it, is taken: 409.

    Attributes:
        field: that holds it; None where the store cannot tell.
    """

    def __init__(self, message: str, field: str | None = None) -> None:
        self.field = field
        super().__init__(message)


class Stale(Guarded):
    """The object has been changed since it was read: 409."""


class Forbidden(WorkerError):
    """A token may not do what it was shown for; names the right, or what else is missing."""


class LimitReached(WorkerError):
    """A token has sent as many messages as one of its limits allows.

    Attributes:
        retry_after: seconds until it may send again; None where it never may.
    """

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        self.retry_after = retry_after
        super().__init__(message)


class Fault(NamedTuple):
    """One thing wrong with a message's data.

    ``pointer`` is an RFC 6901 JSON pointer without ``#`` (empty: the whole document).
    """

    pointer: str
    message: str


class Malformed(WorkerError):
    """Bytes that cannot be read at all; ``position`` is the byte where reading ended, None where unknown."""

    def __init__(self, message: str, position: int | None = None) -> None:
        self.position = position
        where = "" if position is None or "(byte " in message else f" (byte {position})"
        super().__init__(message + where)


class InvalidMessage(WorkerError):
    """Data that does not fit its message type; ``faults`` lists every field."""

    def __init__(self, type_name: str, faults: Sequence[Fault]) -> None:
        self.type_name = type_name
        self.faults = tuple(faults)
        text = "; ".join(f"{fault.pointer or '/'}: {fault.message}" for fault in faults)
        super().__init__(f"{type_name} is invalid: {text}")


class Paused(BaseException):
    """A message whose handlers may not start now, as its type is paused; it is given back, nothing charged."""


class Unavailable(WorkerError):
    """Something outside does not answer. Never charged to a message: it is given back.

    Attributes:
        told: what a caller over HTTP may know of it: no hosts, users or paths. None where only its kind may be known.
    """

    told: str | None = None


class TransportUnavailable(Unavailable):
    """A broker cannot be reached or does not answer in time."""


class PublishFailed(TransportUnavailable):
    """A broker did not take a message.

    Attributes:
        unknown: it may have been taken, which cannot be told: send it again under the same id.
        refused: the broker will never take it, as it is too large: no repeat helps (HTTP 413).
        id: of the message; None where it is about several.
        failed: of several messages, those that were not sent: the place of each, from 0, and what became of it.
    """

    def __init__(
        self,
        message: str,
        *,
        unknown: bool = False,
        refused: bool = False,
        id: str | None = None,
        failed: Mapping[int, BaseException] | None = None,
    ) -> None:
        self.unknown = unknown
        self.refused = refused
        self.id = id
        self.failed: Mapping[int, BaseException] = failed or {}
        super().__init__(message)


class DatabaseUnavailable(Unavailable):
    """A database cannot be reached, is locked for too long or does not answer in time.

    Attributes:
        unknown: it was asked to commit, and it cannot be told whether it has.
    """

    unknown: bool = False


class HandlersFailed(WorkerError):
    """Some handlers of a message failed.

    Attributes:
        envelope: the message, stamped with the handlers whose work is committed.
        failures: name and error of each handler that failed; empty when earlier attempts gave up on some.
            An error may be any ``BaseException``: it is the handler's failure and ends nothing else.
    """

    def __init__(self, envelope: object, failures: Sequence[tuple[str, BaseException]]) -> None:
        self.envelope = envelope
        self.failures = tuple(failures)
        super().__init__("; ".join(f"{name}: {told(error)}" for name, error in failures))


class AbruptEnd(WorkerError):
    """Code that was called at once raised what is no ``Exception``, such as ``SystemExit``; it ended only its message.

    Attributes:
        raised: what it was.
    """

    def __init__(self, raised: BaseException) -> None:
        self.raised = raised
        super().__init__(told(raised))


class HandlerTimeout(WorkerError):
    """A handler ran longer than its message's timeout, or let a transaction on SQLite wait; follows the retry policy.

    A request of a resource that took longer than its operation's ``timeout`` fails with it, too.
    """


class PoisonMessage(WorkerError):
    """The worker process died with this message in hand too often; it goes to the failure store."""


class Unrecoverable(WorkerError):
    """Raise it in a handler when no retry can help: the message goes to the failure store."""


class Reject(Unrecoverable):
    """Raise it in a handler to refuse a message: to the failure store at once, with the reason given."""


class Recoverable(WorkerError):
    """Raise it in a handler to be retried whatever the policy says.

    Args:
        delay: time until the next attempt, in seconds or as a ``timedelta``; None takes the policy's delay.

    Raises:
        UsageError: the delay is no finite number of seconds, 0 or more, and no ``timedelta``.
    """

    def __init__(self, *args: object, delay: float | timedelta | None = None) -> None:
        try:
            self.delay: float | timedelta | None = None if delay is None else seconds_of(delay)
        except ValueError as error:
            raise UsageError(f"Recoverable(delay={error})") from None
        super().__init__(*args)
