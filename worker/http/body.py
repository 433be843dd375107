"""Reads a request's body, and stops reading where the limit is passed."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
from starlette.requests import ClientDisconnect, Request
from starlette.types import Receive

from worker.http.media import media_of
from worker.http.problems import MALFORMED, TOO_LARGE, UNSUPPORTED, Problem
from worker.messaging.validation import malformed

_DIGITS = 18
"""Digits of a length that is read as a number; a longer one is more than any limit."""


async def read_body(receive: Receive, headers: Mapping[bytes, bytes], limit: int) -> bytes:
    """Return the whole body.

    Raises:
        Problem: it is compressed, or larger than ``limit`` bytes; no more than that was read.
        ClientDisconnect: the client went away before the end.
    """
    encoding = headers.get(b"content-encoding", b"identity")
    if encoding != b"identity":
        shown = encoding.decode("latin-1")[:100]
        raise Problem(
            UNSUPPORTED,
            f"Content-Encoding {shown!r} is not read here; send the body as it is",
            headers=[("Accept-Encoding", "identity"), ("Connection", "close")],
        )
    declared = headers.get(b"content-length")
    if declared is not None:
        _check_length(declared, limit)
    message = await receive()
    if message["type"] != "http.request":
        raise ClientDisconnect
    body: bytes = message.get("body", b"")
    if not message.get("more_body", False):
        if len(body) > limit:
            raise too_large(limit)
        return body
    parts = [body]
    size = len(body)
    while True:
        if size > limit:
            raise too_large(limit)
        message = await receive()
        if message["type"] != "http.request":
            raise ClientDisconnect
        part = message.get("body", b"")
        size += len(part)
        parts.append(part)
        if not message.get("more_body", False):
            if size > limit:
                raise too_large(limit)
            return b"".join(parts)


async def read_as_json(request: Request, limit: int) -> bytes:
    """Return the whole body as JSON, also where it came as MessagePack; nothing where nothing came.

    Raises:
        Problem: it is something else, is compressed, or is larger than ``limit`` bytes.
        Malformed: it is no MessagePack, or holds what JSON cannot.
        ClientDisconnect: the client went away before the end.
    """
    headers = dict(request.scope["headers"])
    body = await read_body(request.receive, headers, limit)
    if not body or media_of(headers.get(b"content-type")) == "json":
        return body
    try:
        return msgspec.json.encode(msgspec.msgpack.decode(body))
    except (TypeError, ValueError, RecursionError) as error:
        raise malformed(body, error) from error


def too_large(limit: int) -> Problem:
    """Say that a body passes the limit."""
    # the rest of the body stays unread: the connection cannot be used again
    return Problem(TOO_LARGE, f"the body is larger than {limit} bytes", headers=[("Connection", "close")])


def _check_length(declared: bytes, limit: int) -> None:
    if not declared.isdigit():
        raise Problem(MALFORMED, "Content-Length is no number")
    if len(declared) > _DIGITS:  # a number of thousands of digits is costly to read, or refused
        declared = declared.lstrip(b"0") or b"0"
    if len(declared) > _DIGITS or int(declared) > limit:
        raise too_large(limit)
