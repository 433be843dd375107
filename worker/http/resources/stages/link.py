"""Link: every answer of a resource says where the documentation is, and what it depends on."""

from __future__ import annotations

from starlette.responses import Response

from worker.http.resources.links import LINK, VARY
from worker.resources.event import RequestEvent

_LINK = (b"link", LINK.encode())
_VARY = (b"vary", VARY.encode())


async def add_link(event: RequestEvent) -> None:
    """Add ``Link`` and ``Vary``."""
    response: Response = event.response
    headers = response.raw_headers
    if _LINK not in headers:  # a response that is answered again and again has it already
        headers.append(_LINK)
    for name, _ in headers:
        if name == b"vary":
            response.headers.add_vary_header(VARY)
            return
    headers.append(_VARY)
