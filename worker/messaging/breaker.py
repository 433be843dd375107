"""A circuit breaker as an application declares it on a handler."""

from __future__ import annotations

from typing import Any

import msgspec

from worker.errors import Recoverable, Unavailable, Unrecoverable
from worker.seconds import is_number, seconds_of


class Breaker(msgspec.Struct, frozen=True, kw_only=True):
    """When a handler's type is paused by itself, because what the handler calls does not work.

    While it is open the messages stay in their queue, in every worker, and no attempt is charged. After a while
    one message is tried; when that goes well, the work is taken up step by step.

    Attributes:
        failures: of the handler in a row, in one worker process, that open it; with ``rate``, the least that count.
        rate: share of failures among the calls of the last ``window`` seconds that opens it too; None for none.
        window: seconds.
        errors: what counts as a failure; ``Reject``, ``Unrecoverable`` and ``Recoverable`` never do.
        dependency: name of what is called; all handlers that name it share one breaker. None for the handler alone.
        pause: seconds before one message is tried; twice as many after each that fails.
        max_pause: seconds, at most.
    """

    failures: int = 5
    rate: float | None = None
    window: float = 30.0
    errors: tuple[type[Exception], ...] = (Exception,)
    dependency: str | None = None
    pause: float = 10.0
    max_pause: float = 300.0

    def __post_init__(self) -> None:
        """Refuse values that make no sense.

        Raises:
            ValueError: names the field, its value and what is expected.
        """
        if not (is_number(self.failures, int) and self.failures >= 1):
            raise ValueError(f"Breaker(failures={self.failures!r}): expected a whole number, 1 or more")
        if self.rate is not None and not (is_number(self.rate) and 0 < self.rate <= 1):
            raise ValueError(f"Breaker(rate={self.rate!r}): expected a share, more than 0, at most 1")
        for name in ("window", "pause", "max_pause"):
            try:
                msgspec.structs.force_setattr(self, name, seconds_of(getattr(self, name)))
            except ValueError as error:
                raise ValueError(f"Breaker({name}={error})") from None
        if not self.window > 0:
            raise ValueError(f"Breaker(window={self.window}): expected seconds, more than 0")
        if not 0 < self.pause <= self.max_pause:
            raise ValueError(
                f"Breaker(pause={self.pause!r}, max_pause={self.max_pause!r}): "
                "expected seconds, more than 0, in order"
            )
        errors: Any = self.errors
        if not isinstance(errors, tuple) or not all(
            isinstance(error, type) and issubclass(error, BaseException) for error in errors
        ):
            raise ValueError(f"Breaker(errors={self.errors!r}): expected a tuple of error classes")
        dependency: Any = self.dependency
        if dependency is not None and not isinstance(dependency, str):
            raise ValueError(f"Breaker(dependency={self.dependency!r}): expected a name")

    def counts(self, error: BaseException) -> bool:
        """Whether an error says something about what the handler calls, rather than about the message."""
        return isinstance(error, self.errors) and not isinstance(
            error, Unrecoverable | Recoverable | Unavailable
        )

    def pause_after(self, trips: int) -> float:
        """Seconds until the next message is tried, when ``trips`` have failed."""
        return float(min(self.pause * 2 ** min(trips, 30), self.max_pause))
