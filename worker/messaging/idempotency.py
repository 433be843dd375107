"""Port: idempotency keys of the intake: one answer and one message for a key, however often it is sent."""

from __future__ import annotations

from typing import Protocol

import msgspec


class Key(msgspec.Struct, frozen=True):
    """An idempotency key and where it holds: for one caller (token, or the empty text) on one path."""

    caller: str
    path: str
    key: str


class Answer(msgspec.Struct, frozen=True):
    """A remembered answer."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes


class Fresh(msgspec.Struct, frozen=True):
    """Go on, under this message id, and ``finish`` or ``abandon`` with this claim.

    The id is the one chosen at the first try, when that one never ended: the message may be out already, and
    published again it is the same message. ``again`` says that there was such a try.
    """

    message_id: str
    claim: str
    again: bool = False


class Repeat(msgspec.Struct, frozen=True):
    """The key was answered: give the same answer."""

    answer: Answer


class Mismatch(msgspec.Struct, frozen=True):
    """The key was used with another body."""


class InProgress(msgspec.Struct, frozen=True):
    """The first request with this key is still under way: ask again soon."""


class Finished(msgspec.Struct, frozen=True):
    """A claimed key and its answer, to be committed with what the request changed: both hold together, or neither."""

    key: Key
    claim: str
    answer: Answer


Begun = Fresh | Repeat | Mismatch | InProgress


class Idempotency(Protocol):
    """Remembers keys beyond a restart.

    Every method raises DatabaseUnavailable when the database does not answer.
    """

    async def begin(self, key: Key, body: bytes, message_id: str) -> Begun:
        """Claim a key.

        Args:
            key: the key, with its caller and path.
            body: the request's body; the same key with another one is a mismatch.
            message_id: id for the message if the key is new.
        """
        ...

    async def finish(self, key: Key, claim: str, answer: Answer) -> None:
        """Remember the answer (only 2xx are worth it)."""
        ...

    async def abandon(self, key: Key, claim: str) -> None:
        """Let the next try go on at once: this one was not answered with 2xx. A key that has an answer keeps it.

        The same body keeps its message id, another body is a fresh start.
        """
        ...
