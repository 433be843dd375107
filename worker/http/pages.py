"""``/openapi.json`` and ``/docs``: all endpoints, described; made when first asked for."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from worker.http.endpoint import Endpoint, Gives, Header
from worker.http.media import JSON
from worker.http.openapi.document import openapi
from worker.http.openapi.page import POLICY, page
from worker.http.ports import Ports


class Pages:
    """Answers with the documentation."""

    def __init__(self, ports: Ports, endpoints: Sequence[Endpoint]) -> None:
        self._ports = ports
        self._endpoints = endpoints

    async def openapi(self, request: Request) -> Response:
        """The OpenAPI document."""
        return Response(self._encoded, media_type=JSON)

    async def docs(self, request: Request) -> Response:
        """The documentation as one page that needs nothing from elsewhere."""
        headers = {"Content-Security-Policy": POLICY, "X-Content-Type-Options": "nosniff"}
        base = str(request.base_url).rstrip("/")
        return Response(page(self._document, base), headers=headers, media_type="text/html")

    @cached_property
    def _document(self) -> dict[str, Any]:
        ports = self._ports
        return openapi(
            self._endpoints,
            ports.registry,
            inline=ports.messages.inline,
            title=ports.title,
            version=ports.version,
        )

    @cached_property
    def _encoded(self) -> bytes:
        return msgspec.json.encode(self._document)


def with_pages(endpoints: Sequence[Endpoint]) -> tuple[Endpoint, ...]:
    """Add the two endpoints that describe all endpoints, themselves included."""
    described = (
        *endpoints,
        Endpoint(
            "GET",
            "/openapi.json",
            "docs",
            lambda ports: Pages(ports, described).openapi,
            id="get_openapi",
            tag="service",
            summary="All calls as an OpenAPI document",
            gives={200: Gives("The document.", {"type": "object"}, media=(JSON,))},
        ),
        Endpoint(
            "GET",
            "/docs",
            "docs",
            lambda ports: Pages(ports, described).docs,
            id="get_docs",
            tag="service",
            summary="All calls as a page",
            gives={
                200: Gives(
                    "The page.",
                    {"type": "string"},
                    media=("text/html",),
                    headers={"Content-Security-Policy": Header("What the page may load: nothing.")},
                )
            },
        ),
    )
    return described
