"""``GET /commands/{id}``: where a command stands, and waiting until it is over."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from worker.errors import NotFound
from worker.http.answer import document
from worker.http.endpoint import Endpoint, Gives, Parameter
from worker.http.ports import Ports
from worker.http.preference import PREFER, wait_of
from worker.http.waiting import Waiting
from worker.messaging.identity import is_id
from worker.messaging.status import CommandStatus


class Statuses:
    """Answers where a command stands."""

    def __init__(self, ports: Ports) -> None:
        self._status = ports.status
        self._max_wait = ports.limits.max_wait
        self._waiting = Waiting(ports)

    async def __call__(self, request: Request) -> Response:
        """Answer with the command document: at once, or when it is done or failed or the intake stops."""
        id = request.path_params["id"]
        wait = wait_of(request.headers.getlist("prefer"), self._max_wait)
        if not is_id(id):
            raise NotFound(f"no command {id[:64]!r}: its id would be a UUID")
        id = id.lower()
        status = (
            await self._status.get(id)
            if wait is None
            else await self._waiting.until_over(id, wait, request.receive)
        )
        if status is None:
            raise NotFound(f"no command {id!r} is known")
        answer = document(request, status, headers={"Cache-Control": "no-store"})
        if wait is not None:
            answer.headers["Preference-Applied"] = f"wait={wait:g}"
        return answer


ENDPOINTS = (
    Endpoint(
        "GET",
        "/commands/{id}",
        "status",
        Statuses,
        id="get_command",
        tag="commands",
        summary="Where a command stands",
        parameters=(Parameter("id", "path", {"type": "string", "format": "uuid"}, required=True), PREFER),
        gives={200: Gives("The command.", CommandStatus)},
        problems=(404, 503),
    ),
)
