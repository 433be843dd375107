"""Repeats: what a request with an idempotency key makes is made alike by its repeats, also after a crash."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from worker.messaging.identity import derive_id, new_id


class Keyed:
    """A request with an idempotency key: its identifiers follow from the key's message id, one after another.

    Args:
        message_id: the same for all repeats.

    Attributes:
        again: whether an earlier try has begun, and may have stored something.
    """

    def __init__(self, message_id: str, *, again: bool) -> None:
        self.again = again
        self._message_id = message_id
        self._made: list[str] = []

    def new_id(self) -> str:
        """Make the next identifier."""
        made = derive_id(self._message_id, "object", len(self._made))
        self._made.append(made)
        return made

    def has_made(self, identifier: object) -> bool:
        """Tell whether an identifier is one of these."""
        return str(identifier) in self._made


_REQUEST: ContextVar[Keyed | None] = ContextVar("keyed_request", default=None)


@contextmanager
def keyed(message_id: str, *, again: bool) -> Iterator[None]:
    """Let what runs inside be a request with an idempotency key."""
    token = _REQUEST.set(Keyed(message_id, again=again))
    try:
        yield
    finally:
        _REQUEST.reset(token)


def repeated() -> Keyed | None:
    """Return the running request where it repeats another; None where nothing of it can be stored yet."""
    request = _REQUEST.get()
    return request if request is not None and request.again else None


def object_id() -> str:
    """Make an identifier, a UUIDv7: a new one, or the one that a request with an idempotency key makes each time."""
    request = _REQUEST.get()
    return new_id() if request is None else request.new_id()
