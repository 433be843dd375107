"""``Prefer: wait=N`` (RFC 7240), and the answer to a command that it asks for: its document, not the bare 202."""

from __future__ import annotations

from collections.abc import Iterable

import structlog
from starlette.types import Receive, Scope

from worker.errors import Unavailable
from worker.http.answer import Answer
from worker.http.endpoint import Parameter
from worker.http.media import TYPES, answer_media, written
from worker.http.ports import Ports
from worker.http.waiting import Waiting
from worker.messaging.declaration import MessageType
from worker.messaging.status import CommandStatus

log = structlog.stdlib.get_logger("worker.http")

PREFER = Parameter(
    "Prefer",
    "header",
    {"type": "string"},
    description="`wait=N` answers as soon as that has happened (done or failed; applied), after N seconds at the latest.",
    example="wait=10",
    shared="Prefer",
)
_REPLACED = {b"content-type", b"content-length"}


def wait_of(values: Iterable[str], cap: float) -> float | None:
    """Return the seconds that a caller will wait, at most ``cap``; None when it did not say, or not clearly."""
    for value in values:
        for preference in value.replace(";", ",").split(","):
            name, _, seconds = preference.partition("=")
            text = seconds.strip().strip('"')
            if name.strip().lower() == "wait" and text.isascii() and text.isdigit():
                return min(float(text[:9]), cap)
    return None


class Preferred:
    """Waits for the end of a command that was taken, and answers with its document.

    The answer stays 202 whatever happens meanwhile, also where the status cannot be read: the command was taken.
    """

    def __init__(self, ports: Ports) -> None:
        self._waiting = Waiting(ports)
        self._max_wait = ports.limits.max_wait
        self._tracked = ports.messages.tracked

    async def answer(self, scope: Scope, receive: Receive, declared: MessageType, taken: Answer) -> Answer:
        """Return the answer that the caller prefers.

        ``taken`` itself where it is handled already, where no status of its type is kept, or where the header does
        not say clearly how long.

        Raises:
            ClientDisconnect: the client went away.
        """
        if taken.status != 202 or not self._tracked(declared):
            return taken
        headers = dict(scope["headers"])
        wait = wait_of(_values(scope["headers"]), self._max_wait)
        if wait is None:
            return taken
        id = dict(taken.headers)[b"location"].rpartition(b"/")[2].decode()
        status = await self._status(id, wait, receive) or _accepted(id, declared)
        media = answer_media(headers.get(b"accept"))
        content = written(status, media)
        kept = [header for header in taken.headers if header[0] not in _REPLACED]
        return Answer(
            202,
            [
                (b"content-type", TYPES[media].encode()),
                (b"content-length", b"%d" % len(content)),
                *kept,
                (b"preference-applied", f"wait={wait:g}".encode()),
            ],
            content,
        )

    async def _status(self, id: str, wait: float, receive: Receive) -> CommandStatus | None:
        try:
            return await self._waiting.until_over(id, wait, receive, taken=True)
        except Unavailable as error:
            log.warning("status of a command not read", id=id, error=str(error))
            return None


def _values(headers: Iterable[tuple[bytes, bytes]]) -> list[str]:
    return [value.decode("latin-1") for name, value in headers if name == b"prefer"]


def _accepted(id: str, declared: MessageType) -> CommandStatus:
    """What is known of a command whose status is not written yet, or cannot be read."""
    return CommandStatus(
        id=id,
        type=declared.name,
        status="accepted",
        transport=None,
        queue=None,
        attempts=0,
        accepted_at=None,
        started_at=None,
        finished_at=None,
        error=None,
    )
