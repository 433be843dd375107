"""Link: every answer of a resource says where the documentation is, and what it depends on."""

from __future__ import annotations

from starlette.responses import Response

from worker.http.resources.links import LINK, VARY
from worker.resources.event import RequestEvent

_LINK = (b"link", LINK.encode())
_VARY = (b"vary", VARY.encode())
LINKED = [_LINK, _VARY]
"""What is added, at the end."""


def add_link(event: RequestEvent) -> None:
    """Add ``Link`` and ``Vary`` to an answer that does not have them yet, as those that ``Respond`` makes do."""
    response: Response = event.answer
    headers = response.raw_headers
    if headers[-2:] == LINKED:
        return
    if _LINK not in headers:  # a response that is answered again and again has it already
        headers.append(_LINK)
    if b"vary" in dict(headers):
        response.headers.add_vary_header(VARY)
    else:
        headers.append(_VARY)
