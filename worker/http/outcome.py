"""``Prefer: wait=N`` with a command: its document in place of the bare 202."""

from __future__ import annotations

from collections.abc import Iterable

import structlog
from starlette.types import Receive, Scope

from worker.errors import Unavailable
from worker.http.answer import Answer
from worker.http.media import TYPES, answer_media, written
from worker.http.ports import Ports
from worker.http.preference import wait_of
from worker.http.waiting import Waiting
from worker.messaging.declaration import MessageType
from worker.messaging.status import CommandStatus

_REPLACED = {b"content-type", b"content-length"}


class Outcomes:
    """Waits for the end of a command that was taken, and answers with its document.

    What happens meanwhile cannot undo that it was taken: it stays 202, also where nobody can say where it stands.
    """

    def __init__(self, ports: Ports) -> None:
        self._waiting = Waiting(ports)
        self._max_wait = ports.max_wait
        self._tracked = ports.tracked

    async def awaited(self, scope: Scope, receive: Receive, declared: MessageType, taken: Answer) -> Answer:
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
            structlog.get_logger().warning("http_status_unknown", id=id, error=str(error))
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
