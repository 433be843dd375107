"""The failure store over HTTP: list, groups, show, retry, edit, remove."""

from __future__ import annotations

from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from worker.errors import Fault, NotFound
from worker.failed.documents import FailedDocument, FailedPage, GroupsPage
from worker.http import documents
from worker.http.answer import document
from worker.http.body import read_as_json
from worker.http.endpoint import Body, Endpoint, Gives, Parameter
from worker.http.filtering import PARAMETERS, RetryAll, RetryChosen, from_body, from_query, read_json
from worker.http.parameters import single_values
from worker.http.ports import Ports

_FRESH = {"Cache-Control": "no-store"}
_KNOWN = tuple(parameter.name for parameter in PARAMETERS)


class Edit(msgspec.Struct, forbid_unknown_fields=True):
    """What ``PUT /failed/{id}`` takes: the message's new data, and whether to put it back at once."""

    data: Any
    retry: bool = False


class Failed:
    """Shows failed messages, and changes them."""

    def __init__(self, ports: Ports) -> None:
        self._failed = ports.failed
        self._max_body = ports.limits.max_body
        self._clock = ports.clock

    async def list(self, request: Request) -> Response:
        """One page of failed messages, newest first."""
        faults: list[Fault] = []
        values = single_values(request.scope, _KNOWN, faults)
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
        chosen = from_body(await read_as_json(request, self._max_body), self._clock())
        return document(request, {"retried": await self._failed.retry_many(chosen)}, 202)

    async def edit(self, request: Request) -> Response:
        """Replace one's data, and put it back when asked to."""
        edit: Edit = read_json(await read_as_json(request, self._max_body), Edit)
        id = _id(request)
        await self._failed.edit(id, edit.data, retry=edit.retry)
        return document(
            request, {"id": id, "edited": True, "retried": int(edit.retry)}, 202 if edit.retry else 200
        )

    async def remove(self, request: Request) -> Response:
        """Remove one for good."""
        await self._failed.remove(_id(request))
        return Response(status_code=204)


def _id(request: Request) -> str:
    id: str = request.path_params["id"]
    if not id.isprintable() or len(id) > 255:
        raise NotFound("no such failed message")
    return id


# ids come from brokers, too, and may hold a slash
_ID = Parameter(
    "id",
    "path",
    {"type": "string", "minLength": 1, "not": {"enum": ["groups", "retry"]}},
    required=True,
)

ENDPOINTS = (
    Endpoint(
        "GET",
        "/failed",
        "failed.read",
        lambda ports: Failed(ports).list,
        id="get_failed",
        tag="failed",
        summary="Failed messages, newest first",
        parameters=PARAMETERS,
        gives={200: Gives("One page.", FailedPage)},
        problems=(400, 422, 503),
    ),
    Endpoint(
        "GET",
        "/failed/groups",
        "failed.read",
        lambda ports: Failed(ports).groups,
        id="get_failed_groups",
        tag="failed",
        summary="Failed messages counted by type, handler and error",
        gives={200: Gives("The groups.", GroupsPage)},
        problems=(503,),
    ),
    Endpoint(
        "POST",
        "/failed/retry",
        "failed",
        lambda ports: Failed(ports).retry_many,
        id="retry_many_failed",
        tag="failed",
        summary="Put back all that a filter chooses",
        body=Body(
            {"oneOf": [RetryAll, {"allOf": [RetryChosen], "minProperties": 1}]},
            example=lambda _: {"all": True},
        ),
        gives={202: Gives("They are back in their queues.", documents.Retried)},
        problems=(400, 404, 409, 413, 415, 422, 503),
    ),
    Endpoint(
        "GET",
        "/failed/{id:path}",
        "failed.read",
        lambda ports: Failed(ports).show,
        id="get_failed_message",
        tag="failed",
        summary="A failed message with its envelope and history",
        parameters=(_ID,),
        gives={200: Gives("The message.", FailedDocument)},
        problems=(404, 405, 503),
    ),
    Endpoint(
        "PUT",
        "/failed/{id:path}",
        "failed",
        lambda ports: Failed(ports).edit,
        id="edit_failed_message",
        tag="failed",
        summary="Replace a failed message's data, and put it back if asked",
        parameters=(_ID,),
        body=Body(Edit, example=lambda _: {"data": {}, "retry": True}),
        gives={
            200: Gives("It has the new data.", documents.Edited),
            202: Gives("It is back in its queue with the new data.", documents.Edited),
        },
        problems=(400, 404, 405, 409, 413, 415, 422, 503),
    ),
    Endpoint(
        "DELETE",
        "/failed/{id:path}",
        "failed",
        lambda ports: Failed(ports).remove,
        id="remove_failed_message",
        tag="failed",
        summary="Remove a failed message for good",
        parameters=(_ID,),
        gives={204: Gives("It is gone.")},
        problems=(404, 405, 503),
    ),
    Endpoint(
        "POST",
        "/failed/{id:path}/retry",
        "failed",
        lambda ports: Failed(ports).retry,
        id="retry_failed_message",
        tag="failed",
        summary="Put a failed message back, its attempts counted anew",
        parameters=(_ID,),
        gives={202: Gives("It is back in its queue.", documents.Retried)},
        problems=(404, 409, 422, 503),
    ),
)
