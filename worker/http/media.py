"""Content types: what a body is read as, and what an answer is written as."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from worker.http.problems import UNSUPPORTED, Problem

Media = Literal["json", "msgpack"]

JSON = "application/json"
MSGPACK = "application/msgpack"
NDJSON = "application/x-ndjson"
_KNOWN: dict[bytes, Media] = {
    b"application/json": "json",
    b"application/msgpack": "msgpack",
    b"application/x-msgpack": "msgpack",
    b"application/vnd.msgpack": "msgpack",
}
TYPES: dict[Media, str] = {"json": JSON, "msgpack": MSGPACK}


def media_of(content_type: bytes | None) -> Media:
    """Say what a body is: JSON unless its ``Content-Type`` says otherwise.

    Raises:
        Problem: it is something else.
    """
    if content_type is None:
        return "json"
    known = _KNOWN.get(content_type)
    if known is not None:
        return known
    name, _, parameters = content_type.lower().partition(b";")
    found = _KNOWN.get(name.strip())
    if found is None or not _is_utf8(parameters):
        shown = content_type.decode("latin-1")[:100]
        raise Problem(
            UNSUPPORTED,
            f"Content-Type {shown!r} is not read here; expected {JSON} or {MSGPACK}",
            headers=_ACCEPT,
        )
    return found


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
    best: tuple[float, Media] = (0.0, "json")
    for offer in accept.lower().split(b","):
        name, *parameters = (part.strip() for part in offer.split(b";"))
        weight = _weight(parameters)
        media: Media | None = "json" if name in {b"*/*", b"application/*"} else _KNOWN.get(name)
        if media is not None and weight > best[0]:
            best = (weight, media)
    return best[1]


def written(value: Any, media: Media) -> bytes:
    """Write a value in a media type."""
    return msgspec.json.encode(value) if media == "json" else msgspec.msgpack.encode(value)


def _weight(parameters: list[bytes]) -> float:
    for parameter in parameters:
        if parameter.startswith(b"q="):
            try:
                return float(parameter[2:])
            except ValueError:
                return 0.0
    return 1.0


def _is_utf8(parameters: bytes) -> bool:
    for parameter in parameters.split(b";"):
        name, _, value = parameter.strip().partition(b"=")
        if name.strip() == b"charset" and value.strip(b' "') not in {b"utf-8", b"utf8", b"us-ascii"}:
            return False
    return True


_ACCEPT = [("Accept", f"{JSON}, {MSGPACK}")]
