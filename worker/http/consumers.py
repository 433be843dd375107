"""The consumers over HTTP: what they do, pausing them and resuming them."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

import msgspec
from msgspec import Meta
from starlette.requests import Request
from starlette.responses import Response

from worker.errors import NotFound, UnknownType
from worker.http import documents
from worker.http.answer import document
from worker.http.endpoint import Body, Endpoint, Gives
from worker.http.explanation import unknown_type
from worker.http.filtering import Text
from worker.http.operating import Reason, actor_of, asked
from worker.http.ports import Ports
from worker.http.preference import PREFER, wait_of
from worker.http.problems import UNKNOWN_TYPE, Problem
from worker.messaging.consumers import ConsumerKind, Controlled, PauseConsumers, ResumeConsumers
from worker.messaging.pausing import Applied
from worker.messaging.stamps import Result

_FRESH = {"Cache-Control": "no-store"}


class ResumeRequest(msgspec.Struct, forbid_unknown_fields=True):
    """What ``POST /consumers/resume`` takes; nothing named means everything."""

    types: tuple[Text, ...] = ()
    queues: tuple[Text, ...] = ()
    kinds: tuple[ConsumerKind, ...] = ()
    reason: Reason | None = None


class PauseRequest(msgspec.Struct, forbid_unknown_fields=True):
    """What ``POST /consumers/pause`` takes; nothing named means everything, ``for`` is in seconds."""

    types: tuple[Text, ...] = ()
    queues: tuple[Text, ...] = ()
    kinds: tuple[ConsumerKind, ...] = ()
    reason: Reason | None = None
    seconds: Annotated[float, Meta(gt=0, le=3.2e9)] | None = msgspec.field(name="for", default=None)
    shared: bool = False


class Consumers:
    """Shows, pauses and resumes consumers."""

    def __init__(self, ports: Ports) -> None:
        self._ports = ports

    async def show(self, request: Request) -> Response:
        """The consumers document."""
        return document(request, await self._ports.consumers.document(), headers=_FRESH)

    async def pause(self, request: Request) -> Response:
        """Pause what is named."""
        given = await asked(request, PauseRequest, self._ports.limits.max_body)
        return await self._done(
            request,
            PauseConsumers(
                types=given.types,
                queues=given.queues,
                kinds=given.kinds,
                reason=given.reason,
                seconds=given.seconds,
                shared=given.shared,
                actor=actor_of(request),
            ),
        )

    async def resume(self, request: Request) -> Response:
        """Resume what is named."""
        given = await asked(request, ResumeRequest, self._ports.limits.max_body)
        return await self._done(
            request,
            ResumeConsumers(
                types=given.types,
                queues=given.queues,
                kinds=given.kinds,
                reason=given.reason,
                actor=actor_of(request),
            ),
        )

    async def _done(self, request: Request, command: PauseConsumers | ResumeConsumers) -> Response:
        """Dispatch the command; answer at once, or when all workers have applied it."""
        try:
            outcome = await self._ports.messages.command_bus.dispatch(
                command, *request.scope["principal"].marks
            )
        except UnknownType as error:
            raise Problem(UNKNOWN_TYPE, _unknown(self._ports, error), status=400) from error
        except NotFound as error:
            raise Problem(UNKNOWN_TYPE, str(error), status=400) from error
        result = outcome.get(Result)
        if result is None:  # a middleware has ended it
            return document(request, {"version": None, "types": [], "changed": []}, 202, _FRESH)
        changed: Controlled = result.value
        answer: dict[str, Any] = {
            "version": changed.version,
            "types": list(changed.types),
            "changed": list(changed.changed),
        }
        wait = wait_of(request.headers.getlist("prefer"), self._ports.limits.max_wait)
        if wait is None:
            return document(request, answer, 202, _FRESH)
        applied = await self._applied(changed.version, wait)
        answer |= {"applied": applied.share, "lagging": list(applied.lagging)}
        return document(request, answer, 202, {**_FRESH, "Preference-Applied": f"wait={wait:g}"})

    async def _applied(self, version: int, wait: float) -> Applied:
        """Which workers have applied it: asked until all have, the time is over, or the intake stops."""
        asked = asyncio.ensure_future(self._ports.consumers.applied(version, wait))
        stopping = asyncio.ensure_future(self._ports.stopping.wait())
        try:
            await asyncio.wait({asked, stopping}, return_when=asyncio.FIRST_COMPLETED)
            return await asked if asked.done() else await self._ports.consumers.applied(version, 0.0)
        finally:
            asked.cancel()
            stopping.cancel()


def _unknown(ports: Ports, error: UnknownType) -> str:
    names = [name for name, declared in ports.registry.by_name.items() if declared.kind != "query"]
    return unknown_type(error.name, "command or event", names).detail


_CHANGED = {202: Gives("It is stored.", documents.ConsumersChanged)}

ENDPOINTS = (
    Endpoint(
        "GET",
        "/consumers",
        "consumers.read",
        lambda ports: Consumers(ports).show,
        id="get_consumers",
        tag="consumers",
        summary="Worker processes and what they consume",
        gives={200: Gives("It is so.", documents.Consumers)},
        problems=(503,),
    ),
    Endpoint(
        "POST",
        "/consumers/pause",
        "consumers",
        lambda ports: Consumers(ports).pause,
        id="pause_consumers",
        tag="consumers",
        summary="Start nothing of these types in any worker",
        parameters=(PREFER,),
        body=Body(
            PauseRequest,
            example=lambda command: {"types": [command], "reason": "maintenance", "for": 900},
            required=False,
        ),
        gives=_CHANGED,
        problems=(400, 409, 413, 415, 422, 503),
    ),
    Endpoint(
        "POST",
        "/consumers/resume",
        "consumers",
        lambda ports: Consumers(ports).resume,
        id="resume_consumers",
        tag="consumers",
        summary="Take these types' messages again",
        parameters=(PREFER,),
        body=Body(ResumeRequest, example=lambda command: {"types": [command]}, required=False),
        gives=_CHANGED,
        problems=(400, 413, 415, 422, 503),
    ),
)
