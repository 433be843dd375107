"""The formats of resources: what a body may be, what an answer may be, and how either is agreed upon."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal

from worker.http.media import JSON, MSGPACK, MediaTypes

Format = Literal["json", "msgpack", "json_ld"]
"""What an answer is written in; also an attribute of the request's chain, in ``request_type``."""

JSON_LD = "application/ld+json"
MERGE_PATCH = "application/merge-patch+json"
_MSGPACK = (MSGPACK, "application/x-msgpack", "application/vnd.msgpack")

ANSWERS: MediaTypes[Format] = MediaTypes({"json": (JSON,), "msgpack": _MSGPACK, "json_ld": (JSON_LD,)})
"""What every operation answers in."""
BODIES: MediaTypes[Format] = ANSWERS
"""What a body is read as."""
PATCHES: MediaTypes[Literal["json", "msgpack", "json_ld", "merge_patch"]] = MediaTypes(
    {"json": (JSON,), "merge_patch": (MERGE_PATCH,), "msgpack": _MSGPACK, "json_ld": (JSON_LD,)}
)
"""What the body of a PATCH is read as; whichever it is, absent members stay as they are (RFC 7386)."""


def body_format(method: str) -> Callable[[bytes | None], Format]:
    """Make what says by its content type what a body of an operation is.

    It raises a ``Problem``, 415, where it is nothing that is read here; that lists what is.
    """
    return _patch_format if method == "PATCH" else BODIES.read


def _patch_format(content_type: bytes | None) -> Format:
    read = PATCHES.read(content_type)
    return "json" if read == "merge_patch" else read


def without_keywords(data: Any, format: Format) -> Any:
    """Leave out the keywords of a JSON-LD body, such as ``@context``, ``@id`` and ``@type``: they describe the object and are no fields of it."""
    if format == "json_ld" and isinstance(data, Mapping):
        return {name: value for name, value in data.items() if not str(name).startswith("@")}
    return data
