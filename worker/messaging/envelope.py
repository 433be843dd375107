"""The envelope: a message, the CloudEvents attributes it travels with, and its stamps."""

from __future__ import annotations

from typing import Any, Generic, TypeVar, final

import msgspec

from worker.errors import UsageError
from worker.messaging.stamps import Stamp, attribute_of, name_of

M = TypeVar("M")
S = TypeVar("S", bound=Stamp)
Of = type[S]
"""``type[S]``, where a field named ``type`` hides the word."""


class Envelope(msgspec.Struct, Generic[M], frozen=True, kw_only=True):
    """A message on its way; immutable, every change gives a new one.

    Attributes:
        message: the typed value.
        type: its wire name.
        id: UUIDv7; the same through retries, failure and replay.
        source: name of the application that sent it.
        time: when it was accepted, RFC 3339 in UTC.
        correlation_id: id of what started it all; its own id where nothing did.
        causation_id: id of the message whose handler sent it.
        key: what is kept in order with its equals.
        attempt: 1 the first time.
        traceparent: W3C trace context.
        version: of the message's data.
        stamps: everything else that is known about it, one of a kind.
    """

    message: M
    type: str
    id: str
    source: str = ""
    time: str = ""
    correlation_id: str | None = None
    causation_id: str | None = None
    key: str | None = None
    attempt: int = 1
    traceparent: str | None = None
    version: int = 1
    stamps: tuple[Stamp, ...] = ()

    def with_(self, *stamps: Stamp) -> Envelope[M]:
        """Add stamps; one of a kind that is there already is replaced."""
        before = self.stamps
        if not before:
            return msgspec.structs.replace(self, stamps=stamps)
        if len(stamps) == 1:
            kind = type(stamps[0])
            for stamp in before:
                if type(stamp) is kind:
                    break
            else:  # it is new, as most are
                return msgspec.structs.replace(self, stamps=before + stamps)
        kinds = {type(stamp) for stamp in stamps}
        kept = tuple(stamp for stamp in self.stamps if type(stamp) not in kinds)
        return msgspec.structs.replace(self, stamps=kept + stamps)

    def without(self, *kinds: Of[Stamp]) -> Envelope[M]:
        """Take stamps of these kinds away."""
        return msgspec.structs.replace(self, stamps=tuple(s for s in self.stamps if type(s) not in kinds))

    def with_message(self, message: M) -> Envelope[M]:
        """Put another message of the same type in; id and stamps stay.

        Raises:
            UsageError: it is of another type.
        """
        if type(message) is not type(self.message):
            raise UsageError(
                f"with_message() takes a {type(self.message).__name__}, not a {type(message).__name__}"
            )
        return msgspec.structs.replace(self, message=message)

    def get(self, kind: Of[S]) -> S | None:
        """Return the stamp of this kind, None where there is none."""
        for stamp in self.stamps:
            if type(stamp) is kind:
                return stamp
        return None

    def attributes(self) -> dict[str, Any]:
        """Facts that conditions read: each stamp by its name, then type, attempt and id, which no stamp hides."""
        facts: dict[str, Any] = {name_of(stamp): attribute_of(stamp) for stamp in self.stamps}
        facts["type"] = self.type
        facts["attempt"] = self.attempt
        facts["id"] = self.id
        return facts


@final
class Undecodable(msgspec.Struct, frozen=True, kw_only=True):
    """What could not be read, with its bytes unchanged.

    ``type`` and ``id`` are what could be read all the same; ``error`` names what is wrong.
    """

    body: bytes
    error: BaseException
    type: str | None = None
    id: str | None = None
    attempt: int = 1
