"""Content types: what a body is read as, and what an answer is written as."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Generic, Literal, TypeVar

import msgspec

from worker.http.problems import NOT_ACCEPTABLE, UNSUPPORTED, Problem

Media = Literal["json", "msgpack"]
M = TypeVar("M", bound=str)

JSON = "application/json"
MSGPACK = "application/msgpack"
NDJSON = "application/x-ndjson"


class MediaTypes(Generic[M]):
    """The content types that one place reads or writes, the preferred one first.

    Args:
        names: of each medium all content types that mean it; the first is the one that is written.
    """

    def __init__(self, names: Mapping[M, tuple[str, ...]]) -> None:
        self._same = {medium: tuple(name.encode() for name in same) for medium, same in names.items()}
        self._known = {name: medium for medium, same in self._same.items() for name in same}
        self.names: Mapping[M, str] = {medium: same[0] for medium, same in names.items()}
        first = next(iter(names))
        self._at_once: dict[bytes | None, M] = {None: first, b"*/*": first}
        self._at_once |= dict(self._known.items())
        self.listed = ", ".join(self.names.values())

    def read(self, content_type: bytes | None) -> M:
        """Say what a body is: the preferred one unless its ``Content-Type`` says otherwise.

        Raises:
            Problem: it is something else; lists what is read.
        """
        if content_type is None:
            return next(iter(self.names))
        known = self._known.get(content_type)
        if known is not None:
            return known
        name, _, parameters = content_type.lower().partition(b";")
        found = self._known.get(name.strip())
        if found is None or not _is_utf8(parameters):
            raise Problem(
                UNSUPPORTED,
                f"Content-Type {_shown(content_type)} is not read here; expected {self.listed}",
                headers=[("Accept", self.listed)],
            )
        return found

    def chosen(self, accept: bytes | None) -> M | None:
        """Choose what to answer in: what the caller weighs most, then what it names most exactly, then first.

        None where nothing of what there is would do.
        """
        known = self._at_once.get(accept)
        if known is not None or accept is None:
            return known
        offers = [_offer(one) for one in _QUOTED.sub(b"", accept[:_LONGEST].lower()).split(b",")[:_MOST]]
        best: tuple[tuple[float, int, int], M] | None = None
        for medium, names in self._same.items():
            exact, place, weight = max(
                (_exactness(asked, name), -place, weight)
                for name in names
                for place, (asked, weight) in enumerate([*offers, (b"", 0.0)])
            )
            rank = (weight, exact, place)
            if exact and weight > 0 and (best is None or rank > best[0]):
                best = rank, medium
        return best[1] if best else None

    def demanded(self, accept: bytes | None) -> M:
        """Choose what to answer in.

        Raises:
            Problem: nothing of what there is would do; lists it.
        """
        medium = self.chosen(accept)
        if medium is None:
            raise Problem(
                NOT_ACCEPTABLE, f"Accept {_shown(accept or b'')} takes nothing that there is: {self.listed}"
            )
        return medium


DOCUMENTS: MediaTypes[Media] = MediaTypes(
    {"json": (JSON,), "msgpack": (MSGPACK, "application/x-msgpack", "application/vnd.msgpack")}
)
"""What the intake reads and writes everywhere."""
TYPES = DOCUMENTS.names


def media_of(content_type: bytes | None) -> Media:
    """Say what a body is: JSON unless its ``Content-Type`` says otherwise.

    Raises:
        Problem: it is something else.
    """
    return DOCUMENTS.read(content_type)


def is_ndjson(content_type: bytes | None) -> bool:
    """Tell whether a body says that it is NDJSON."""
    name, _, parameters = (content_type or b"").lower().partition(b";")
    return name.strip() in {NDJSON.encode(), b"application/ndjson", b"application/jsonl"} and _is_utf8(
        parameters
    )


def answer_media(accept: bytes | None) -> Media:
    """Choose what to answer in: MessagePack where the caller prefers it, else JSON."""
    if accept is None or b"msgpack" not in accept:
        return "json"
    return DOCUMENTS.chosen(accept) or "json"


def written(value: Any, media: Media) -> bytes:
    """Write a value in a media type."""
    return msgspec.json.encode(value) if media == "json" else msgspec.msgpack.encode(value)


_LONGEST = 4096
_MOST = 64
"""What stands behind these many bytes, or wishes, of ``Accept`` is not read: no client means it."""
_QUOTED = re.compile(rb'"(?:\\.|[^"\\])*"')
"""Text of a parameter, in which commas and semicolons mean nothing."""


def _exactness(asked: bytes, name: bytes) -> int:
    """How exactly a content type is asked for: by its name, by its family, as anything; 0 where it is not."""
    if asked == name:
        return 3
    if asked == b"*/*":
        return 1
    return 2 if asked == name.partition(b"/")[0] + b"/*" else 0


def _offer(text: bytes) -> tuple[bytes, float]:
    """One of what is asked for, and what it weighs."""
    asked, *parameters = (part.strip() for part in text.split(b";"))
    for parameter in parameters:
        name, _, value = parameter.partition(b"=")
        if name.strip() == b"q":
            try:
                weight = float(value)
            except ValueError:
                return asked, 0.0
            return asked, weight if 0.0 <= weight <= 1.0 else 0.0
    return asked, 1.0


def _is_utf8(parameters: bytes) -> bool:
    for parameter in parameters.split(b";"):
        name, _, value = parameter.strip().partition(b"=")
        if name.strip() == b"charset" and value.strip(b' "') not in {b"utf-8", b"utf8", b"us-ascii"}:
            return False
    return True


def _shown(header: bytes) -> str:
    return repr(header.decode("latin-1")[:100])
