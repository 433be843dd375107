"""``/openapi.json`` and ``/docs``, made once when first asked for."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from worker.http.docs import POLICY, page
from worker.http.ports import Ports
from worker.http.schema import openapi


class Pages:
    """The endpoints for the documentation."""

    def __init__(self, ports: Ports) -> None:
        self._ports = ports

    async def openapi(self, request: Request) -> Response:
        """The OpenAPI document."""
        return Response(self._encoded, media_type="application/json")

    async def docs(self, request: Request) -> Response:
        """The documentation as one page that needs nothing from elsewhere."""
        headers = {"Content-Security-Policy": POLICY, "X-Content-Type-Options": "nosniff"}
        base = str(request.base_url).rstrip("/")
        return Response(page(self._document, base), headers=headers, media_type="text/html")

    @cached_property
    def _document(self) -> dict[str, Any]:
        ports = self._ports
        return openapi(ports.registry, inline=ports.inline, title=ports.title, version=ports.version)

    @cached_property
    def _encoded(self) -> bytes:
        return msgspec.json.encode(self._document)
