"""The schedules over HTTP: how they stand, pausing them, resuming them, and firing one now."""

from __future__ import annotations

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from worker.errors import ScheduleFailed
from worker.http import documents
from worker.http.answer import document
from worker.http.endpoint import Body, Endpoint, Gives, Parameter
from worker.http.operating import Reason, actor_of, asked
from worker.http.ports import Ports
from worker.http.problems import INTERNAL, Problem

_FRESH = {"Cache-Control": "no-store"}


class PauseScheduleRequest(msgspec.Struct, forbid_unknown_fields=True):
    """What ``POST /schedules/{name}/pause`` takes."""

    reason: Reason | None = None


class Schedules:
    """Shows, pauses, resumes and fires schedules."""

    def __init__(self, ports: Ports) -> None:
        self._schedules = ports.schedules
        self._max_body = ports.limits.max_body

    async def show(self, request: Request) -> Response:
        """The schedules document."""
        return document(request, await self._schedules.document(), headers=_FRESH)

    async def pause(self, request: Request) -> Response:
        """Let its ticks pass by."""
        given = await asked(request, PauseScheduleRequest, self._max_body)
        name = request.path_params["name"]
        changed = await self._schedules.pause([name], actor_of(request), given.reason)
        return document(request, _changed(name, changed, paused=True), 202, _FRESH)

    async def resume(self, request: Request) -> Response:
        """Fire its ticks again."""
        name = request.path_params["name"]
        changed = await self._schedules.resume([name], actor_of(request))
        return document(request, _changed(name, changed, paused=False), 202, _FRESH)

    async def run(self, request: Request) -> Response:
        """Fire it now."""
        name = request.path_params["name"]
        try:
            ids = await self._schedules.run(name, actor_of(request))
        except ScheduleFailed as error:
            detail = f"schedule {name} failed; see last_error of GET /schedules"
            raise Problem(INTERNAL, detail) from error
        return document(request, {"name": name, "ids": list(ids)}, 202, _FRESH)


def _changed(name: str, changed: list[str], *, paused: bool) -> dict[str, object]:
    return {"name": name, "paused": paused, "changed": bool(changed)}


_NAME = Parameter("name", "path", {"type": "string"}, required=True)

ENDPOINTS = (
    Endpoint(
        "GET",
        "/schedules",
        "schedules.read",
        lambda ports: Schedules(ports).show,
        id="get_schedules",
        tag="schedules",
        summary="The schedules, when they fire next and fired last",
        gives={200: Gives("It is so.", documents.Schedules)},
        problems=(503,),
    ),
    Endpoint(
        "POST",
        "/schedules/{name}/pause",
        "schedules",
        lambda ports: Schedules(ports).pause,
        id="pause_schedule",
        tag="schedules",
        summary="Let a schedule's ticks pass by until it is resumed",
        parameters=(_NAME,),
        body=Body(PauseScheduleRequest, example=lambda _: {"reason": "maintenance"}, required=False),
        gives={202: Gives("It is stored.", documents.ScheduleChanged)},
        problems=(400, 404, 413, 415, 422, 503),
    ),
    Endpoint(
        "POST",
        "/schedules/{name}/resume",
        "schedules",
        lambda ports: Schedules(ports).resume,
        id="resume_schedule",
        tag="schedules",
        summary="Fire a schedule's ticks again, those from now on",
        parameters=(_NAME,),
        gives={202: Gives("It is stored.", documents.ScheduleChanged)},
        problems=(404, 503),
    ),
    Endpoint(
        "POST",
        "/schedules/{name}/run",
        "schedules",
        lambda ports: Schedules(ports).run,
        id="run_schedule",
        tag="schedules",
        summary="Fire a schedule now, also while it is paused",
        parameters=(_NAME,),
        gives={202: Gives("What it sends is safe, and will leave.", documents.ScheduleRun)},
        problems=(404, 500, 503),
    ),
)
