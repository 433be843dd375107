"""``Idempotency-Key``: a repeated request gets the first one's answer and makes no second message."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import TypeVar

import structlog
from starlette.types import Scope

from worker.errors import DatabaseUnavailable, Fault
from worker.http.answer import Answer
from worker.http.endpoint import Parameter
from worker.http.ports import Ports
from worker.http.problems import IN_PROGRESS, INVALID_PARAMETER, KEY_REUSED, Problem
from worker.messaging.idempotency import Answer as Remembered
from worker.messaging.idempotency import Begun, Fresh, InProgress, Key, Mismatch, Repeat
from worker.messaging.identity import new_id

A = TypeVar("A", Answer, Answer | None)

log = structlog.stdlib.get_logger("worker.http")

MAX_KEY = 255
FIRST_PAUSE = 0.02
LONGEST_PAUSE = 0.5

IDEMPOTENCY_KEY = Parameter(
    "Idempotency-Key",
    "header",
    {"type": "string", "minLength": 1, "maxLength": MAX_KEY, "pattern": "^[ -~]+$"},
    description="The same key with the same body gives the same answer and makes one message.",
    shared="IdempotencyKey",
)


def key_of(header: bytes) -> str:
    """Return the key.

    Raises:
        Problem: it is empty, too long or has characters that do not show.
    """
    if not 1 <= len(header) <= MAX_KEY or not all(0x20 <= byte < 0x7F for byte in header):
        text = f"expected 1 to {MAX_KEY} visible ASCII characters"
        raise Problem(INVALID_PARAMETER, f"Idempotency-Key: {text}", errors=[Fault("/Idempotency-Key", text)])
    return header.decode()


class Repeats:
    """Remembers answers by caller, path and key; only good ones (2xx)."""

    def __init__(self, ports: Ports) -> None:
        self._keys = ports.repeats.store
        self._wait = ports.repeats.wait
        self._stopping = ports.stopping

    async def once(
        self, scope: Scope, key: str, body: bytes, answer: Callable[[str], Awaitable[A]]
    ) -> A | Answer:
        """Return the answer that the key has, or make it with ``answer``, given the message id to use.

        Where the first request died without an answer, a repeat sends the command under the same message id. Where
        ``answer`` gives None, it is not known what it has done: the key stays taken until its claim ends by itself.

        Raises:
            Problem: the key belongs to another body, or the first request takes too long.
        """
        return await self.claimed(scope, key, body, lambda _, begun: answer(begun.message_id))

    async def claimed(
        self, scope: Scope, key: str, body: bytes, answer: Callable[[Key, Fresh], Awaitable[A]]
    ) -> A | Answer:
        """The same for an ``answer`` that is given the claim, and may finish it itself with what it commits.

        Raises:
            Problem: the key belongs to another body, or the first request takes too long.
        """
        # without tokens there is one caller
        mine = Key(scope["principal"].id or "", scope["path"], key)
        begun = await self._begin(mine, body)
        if isinstance(begun, Repeat):
            return _replayed(begun.answer)
        if not isinstance(begun, Fresh):
            raise _refused(begun)
        try:
            made = await answer(mine, begun)
        except BaseException:
            await self._abandon(mine, begun.claim)
            raise
        if made is None:
            return made
        if 200 <= made.status < 300:
            await self._finish(mine, begun.claim, made)
        else:
            await self._abandon(mine, begun.claim)
        return made

    async def _begin(self, key: Key, body: bytes) -> Begun:
        loop = asyncio.get_running_loop()
        until = loop.time() + self._wait
        pause = FIRST_PAUSE
        id = new_id()
        while True:
            begun = await self._keys.begin(key, body, id)
            if not isinstance(begun, InProgress) or loop.time() >= until or self._stopping.is_set():
                return begun
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(min(pause, max(0.0, until - loop.time()))):
                    await self._stopping.wait()
            pause = min(pause * 1.5, LONGEST_PAUSE)

    async def _finish(self, key: Key, claim: str, made: Answer) -> None:
        headers = tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in made.headers)
        try:
            await self._keys.finish(key, claim, Remembered(made.status, headers, made.body))
        except DatabaseUnavailable as error:
            # the command was taken, so the answer stands; a repeat sends it again under the same id
            log.warning("answer of an idempotency key not stored", error=str(error))

    async def _abandon(self, key: Key, claim: str) -> None:
        try:
            await self._keys.abandon(key, claim)
        except DatabaseUnavailable as error:
            log.warning("idempotency key not given back; its claim ends by itself", error=str(error))


def _replayed(answer: Remembered) -> Answer:
    headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in answer.headers]
    return Answer(answer.status, [*headers, (b"idempotency-replayed", b"true")], answer.body)


def _refused(begun: Mismatch | InProgress) -> Problem:
    if isinstance(begun, Mismatch):
        text = "this Idempotency-Key was used here with another body"
        return Problem(KEY_REUSED, text, errors=[Fault("/Idempotency-Key", text)])
    return Problem(IN_PROGRESS, "repeat it in a moment", headers=[("Retry-After", "1")])
