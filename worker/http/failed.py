"""The failure store over HTTP: list, groups, show, retry, edit, remove."""

from __future__ import annotations

from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from worker.errors import Fault, NotFound
from worker.http.body import read_body
from worker.http.documents import document
from worker.http.filtering import PARAMETERS, from_body, from_query, read_json
from worker.http.media import media_of
from worker.http.parameters import single_values
from worker.http.ports import Ports
from worker.http.problems import UNSUPPORTED, Problem

_FRESH = {"Cache-Control": "no-store"}


class Edit(msgspec.Struct, forbid_unknown_fields=True):
    """What ``PUT /failed/{id}`` takes: the message's new data, and whether to put it back at once."""

    data: Any
    retry: bool = False


class Failed:
    """The endpoints for failed messages."""

    def __init__(self, ports: Ports) -> None:
        self._failed = ports.failed
        self._max_body = ports.max_body
        self._clock = ports.clock

    async def list(self, request: Request) -> Response:
        """One page of failed messages, newest first."""
        faults: list[Fault] = []
        values = single_values(request.scope, PARAMETERS, faults)
        chosen, limit, after = from_query(values, self._clock(), faults)
        return document(request, await self._failed.list(chosen, limit, after), headers=_FRESH)

    async def groups(self, request: Request) -> Response:
        """Counts by type, handler and error."""
        return document(request, await self._failed.groups(), headers=_FRESH)

    async def show(self, request: Request) -> Response:
        """One failed message with its envelope and history."""
        return document(request, await self._failed.show(_id(request)), headers=_FRESH)

    async def retry(self, request: Request) -> Response:
        """Put one back."""
        return document(request, {"retried": await self._failed.retry(_id(request))}, 202)

    async def retry_many(self, request: Request) -> Response:
        """Put all that a filter chooses back."""
        chosen = from_body(await self._json(request), self._clock())
        return document(request, {"retried": await self._failed.retry_many(chosen)}, 202)

    async def edit(self, request: Request) -> Response:
        """Replace one's data, and put it back when asked to."""
        edit: Edit = read_json(await self._json(request), Edit)
        id = _id(request)
        await self._failed.edit(id, edit.data, retry=edit.retry)
        return document(
            request, {"id": id, "edited": True, "retried": int(edit.retry)}, 202 if edit.retry else 200
        )

    async def remove(self, request: Request) -> Response:
        """Remove one for good."""
        await self._failed.remove(_id(request))
        return Response(status_code=204)

    async def _json(self, request: Request) -> bytes:
        headers = dict(request.scope["headers"])
        if media_of(headers.get(b"content-type")) != "json":
            raise Problem(UNSUPPORTED, "expected Content-Type application/json")
        return await read_body(request.receive, headers, self._max_body)


def _id(request: Request) -> str:
    id: str = request.path_params["id"]
    if not id.isprintable() or len(id) > 255:
        raise NotFound("no such failed message")
    return id
