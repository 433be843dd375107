"""A cell: a process of its own in which one message at a time is handled, so that what dies there dies alone.

Messages go in over its standard input and answers come out over a pipe, each with its length before it: one word when it
is ready, one when a message is begun, then questions that only its worker can answer, and then what became of it. It is
started when it is first needed, and ended when nothing was for a while. Its worker sees its end; when the worker ends
first, the cell ends at once, whatever it does.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Sequence

import msgspec
import structlog

from worker.runtime.deadly.exchange import Answer, Order, Question, Replies, Reply, from_cell
from worker.runtime.process.beginning import Beginning
from worker.settings.environment import INTERNAL

MARK = "WORKER_CELL"
"""Tells a process that it is a cell: the number of the pipe for answers, and the name of its worker."""

START = 60.0
"""Seconds within which a cell must be ready."""
IDLE = 10.0
"""Seconds without a message after which it is ended."""
_GOODBYE = 5.0
_LAST_WORD = 1.0
"""Seconds between the end of a cell and that of its pipe, or the other way round."""

log = structlog.stdlib.get_logger("worker.cell")


class CellDied(Exception):
    """It ended before it had answered; the text says how."""


class NoCell(Exception):
    """It could not be started; the text says why."""


class Cell:
    """Handles messages one after the other; callers see to it that there is one at a time.

    Args:
        command: starts a worker that finds itself marked.
        name: of the worker whose cell it is.
        beginning: of this process: the cell begins likewise.
    """

    def __init__(self, command: Sequence[str], name: str, beginning: Beginning) -> None:
        self._command = command
        self._beginning = beginning
        self._name = name
        self._process: asyncio.subprocess.Process | None = None
        self._ready = False
        self._answers: asyncio.StreamReader | None = None
        self._pipe: asyncio.BaseTransport | None = None
        self._ending: asyncio.TimerHandle | None = None
        self._closing: set[asyncio.Task[None]] = set()

    async def handle(self, order: Order, replies: Replies) -> Answer:
        """Have a message handled, however long it takes, and answer what is asked meanwhile; cancelling ends the process.

        Raises:
            CellDied: the process ended meanwhile.
            NoCell: there is none, and none could be started; the message was not begun.
        """
        if self._ending is not None:
            self._ending.cancel()
            self._ending = None
        try:
            process = await self._begun(msgspec.msgpack.encode(order))
            while isinstance(said := from_cell(await self._answer(process)), Question):
                reply = Reply(number=said.number, says=await replies(said))
                await _give(process, msgspec.msgpack.encode(reply))
        except BaseException:
            await self._kill()
            raise
        self._ending = asyncio.get_running_loop().call_later(IDLE, self._let_go)
        return said

    async def close(self) -> None:
        """End it."""
        if self._ending is not None:
            self._ending.cancel()
        self._let_go()
        if self._closing:
            await asyncio.wait(set(self._closing))

    async def _started(self) -> asyncio.subprocess.Process:
        if self._process is not None and self._process.returncode is None:
            return self._process
        await self._kill()
        self._ready = False
        begun = self._beginning.environment
        kept = {name: value for name, value in begun.items() if name not in INTERNAL}
        answers, given = os.pipe()
        try:
            self._answers = asyncio.StreamReader()
            protocol = asyncio.StreamReaderProtocol(self._answers)
            stream = os.fdopen(answers, "rb", 0)
            self._pipe, _ = await asyncio.get_running_loop().connect_read_pipe(lambda: protocol, stream)
            self._process = await asyncio.create_subprocess_exec(
                *self._command,
                stdin=asyncio.subprocess.PIPE,
                pass_fds=(given,),
                env={**kept, MARK: f"{given} {self._name}"},
                cwd=self._beginning.folder,
                start_new_session=True,
            )
        except OSError as error:
            raise NoCell(f"no process could be started: {error}") from error
        finally:
            os.close(given)
        log.info("a process for messages to be handled alone was started", pid=self._process.pid)
        try:
            async with asyncio.timeout(START):
                await self._answer(self._process)
        except TimeoutError:
            raise NoCell(f"not ready within {START:g} s") from None
        except CellDied as death:
            raise NoCell(f"it ended before it was ready: {death}") from None
        self._ready = True
        return self._process

    async def _begun(self, order: bytes) -> asyncio.subprocess.Process:
        """Give an order, and return once it has begun: one that ended before that has not died of it."""
        died: CellDied | None = None
        for _ in range(2):  # the first may have ended since its last message
            process = await self._started()
            try:
                await _give(process, order)
                await self._answer(process)
            except CellDied as error:
                died = error
                await self._kill()
            else:
                return process
        raise NoCell(f"it ended before the message was begun: {died}")

    async def _answer(self, process: asyncio.subprocess.Process) -> bytes:
        """Wait for an answer, or for the end of the process: what it has started may keep its pipe open."""
        reading = asyncio.ensure_future(self._read())
        ended = asyncio.ensure_future(process.wait())
        try:
            await asyncio.wait({reading, ended}, return_when=asyncio.FIRST_COMPLETED)
            await asyncio.wait({reading}, timeout=_LAST_WORD)
            if reading.done() and (answer := reading.result()) is not None:
                return answer
            await asyncio.wait({ended}, timeout=_LAST_WORD)
            code = process.returncode
            raise CellDied(_how(code) if code is not None else "it closed its pipe")
        finally:
            for task in (reading, ended):
                task.cancel()
            await asyncio.gather(reading, ended, return_exceptions=True)

    async def _read(self) -> bytes | None:
        assert self._answers is not None
        try:
            size = int.from_bytes(await self._answers.readexactly(4), "big")
            return await self._answers.readexactly(size)
        except (asyncio.IncompleteReadError, OSError):
            return None

    def _let_go(self) -> None:
        """Let it end by itself: it has nothing in hand."""
        process, self._process = self._process, None
        pipe, self._pipe = self._pipe, None
        if process is not None:
            task = asyncio.get_running_loop().create_task(_end(process, pipe))
            self._closing.add(task)
            task.add_done_callback(self._closing.discard)

    async def _kill(self) -> None:
        process, self._process = self._process, None
        pipe, self._pipe = self._pipe, None
        if process is not None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
        if process is not None:
            await _end(process, pipe)
        elif pipe is not None:
            pipe.close()


async def _give(process: asyncio.subprocess.Process, data: bytes) -> None:
    assert process.stdin is not None
    with contextlib.suppress(OSError):  # it is gone: that is found when its word is read
        process.stdin.write(len(data).to_bytes(4, "big") + data)
        await process.stdin.drain()


async def _end(process: asyncio.subprocess.Process, pipe: asyncio.BaseTransport | None) -> None:
    assert process.stdin is not None
    process.stdin.close()
    try:
        async with asyncio.timeout(_GOODBYE):
            await process.wait()
    except TimeoutError:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
    finally:
        if pipe is not None:
            pipe.close()


def _how(code: int) -> str:
    return f"killed by signal {-code}" if code < 0 else f"ended with exit code {code}"
