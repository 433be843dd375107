"""Answers that are one document, in the type that the caller accepts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from worker.http.media import TYPES, answer_media, written


def document(
    request: Request, value: Any, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    """Write a document as the caller likes it."""
    accept = request.headers.get("accept")
    media = answer_media(accept.encode("latin-1") if accept else None)
    try:
        body = written(value, media)
    except OverflowError:
        # MessagePack has no integers beyond 64 bits; JSON has
        media = "json"
        body = written(value, media)
    return Response(body, status, {**(headers or {}), "Vary": "Accept"}, TYPES[media])
