"""The context: what a handler may know and ask for besides its message."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import msgspec

from worker.errors import UsageError
from worker.messaging.declaration import Kind
from worker.messaging.envelope import Envelope
from worker.messaging.sendable import Check
from worker.messaging.stamps import Handled, Received, Token
from worker.messaging.unit_of_work import UnitOfWork
from worker.seconds import seconds_of

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession  # for editors: loaded when a handler uses its session

Log = Any
"""A structlog bound logger."""

_TOO_LATE = "the handler has ended; what it started must end before it does"


class Context(msgspec.Struct, eq=False):
    """Given to one handler for one message.

    ``record`` and ``dispatch`` are plain calls: what they note leaves with the handler's commit, in order,
    and not at all when the handler fails.

    Attributes:
        envelope: the message and all that is known about it.
        noted: what the handler noted so far, with the delay of each.
        work: its unit of work; None while none was needed.
        ended: whether the handler has ended; then nothing more can be done with its context.
    """

    envelope: Envelope[Any]
    _opens: Callable[[str], UnitOfWork] | None
    """Makes the unit of work for the message's id; None without a database."""
    _make_log: Callable[[Envelope[Any]], Log]
    _deadline: float | None = None
    """When its time is over, as ``_now`` tells it."""
    _now: Callable[[], float] | None = None
    _check: Check | None = None
    """Refuses what may not be recorded or dispatched."""
    noted: list[tuple[Any, float]] | tuple[()] = ()
    work: UnitOfWork | None = None
    ended: bool = False
    _log: Log = None

    def __repr__(self) -> str:
        """Name the message, and nothing of what is in it."""
        return f"<Context of {self.envelope.type} {self.envelope.id}>"

    @property
    def message_id(self) -> str:
        """Id of the message; the same in every attempt."""
        return self.envelope.id

    @property
    def correlation_id(self) -> str:
        """Id of what started it all."""
        return self.envelope.correlation_id or self.envelope.id

    @property
    def attempt(self) -> int:
        """Which attempt this is, from 1."""
        return self.envelope.attempt

    @property
    def token(self) -> str | None:
        """Name of the token that sent the message, None where there was none."""
        stamp = self.envelope.get(Token)
        return stamp.value if stamp else None

    @property
    def transport(self) -> str | None:
        """Name of the transport it came by; None when it is handled inline."""
        stamp = self.envelope.get(Received)
        return stamp.transport if stamp else None

    @property
    def handled(self) -> tuple[str, ...]:
        """Names of the handlers that are done with this message already."""
        stamp = self.envelope.get(Handled)
        return stamp.handlers if stamp else ()

    @property
    def log(self) -> Log:
        """A structlog logger bound to the message's type, id, correlation id and attempt."""
        if self._log is None:
            self._log = self._make_log(self.envelope)
        return self._log

    @property
    def session(self) -> AsyncSession:
        """SQLAlchemy ``AsyncSession`` of this handler's unit of work; its first statement opens the transaction.

        The transaction is committed when the handler returns and rolled back when it raises; do neither by hand.

        Raises:
            UsageError: the application runs without a database, the handler is a plain ``def``, or it has ended.
        """
        if self.ended:
            raise UsageError(f"context.session: {_TOO_LATE}")
        if self.work is None:
            if self._opens is None:
                raise UsageError("context.session needs a database: set [database] url")
            self.work = self._opens(self.envelope.id)
        session: AsyncSession = self.work.session
        return session

    @property
    def remaining(self) -> float | None:
        """Seconds to the timeout, 0 when it is over; None when the type has no timeout."""
        if self._deadline is None or self._now is None:
            return None
        return max(0.0, self._deadline - self._now())

    def record(self, event: Any) -> None:
        """Note a domain event.

        Raises:
            UsageError: it is no declared event, its values do not fit its type, or the handler has ended.
        """
        self._note("record", event, "event", 0.0)

    def dispatch(self, command: Any, delay: float | timedelta = 0.0) -> None:
        """Note a command to be sent, to be handed out ``delay`` later: seconds, or a ``timedelta``.

        Raises:
            UsageError: it is no declared command, its values do not fit its type, the delay is no finite number of
                seconds, 0 or more, and no ``timedelta``, or the handler has ended.
        """
        try:
            seconds = seconds_of(delay)
        except ValueError as error:
            raise UsageError(f"dispatch(delay={error})") from None
        self._note("dispatch", command, "command", seconds)

    def _note(self, call: str, message: Any, kind: Kind, delay: float) -> None:
        if self.ended:
            raise UsageError(f"{call}(): {_TOO_LATE}")
        if self._check is not None:
            self._check(call, message, kind)
        if isinstance(self.noted, tuple):  # most handlers note nothing and need no list
            self.noted = []
        self.noted.append((message, delay))


def set_deadline(context: Context, at: float) -> None:
    """Say by when a handler must be over that had to wait for its thread."""
    msgspec.structs.force_setattr(context, "_deadline", at)
