"""Sending one command and waiting for it: what ``worker send`` does behind its options."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import msgspec

from worker.errors import Forbidden, NotFound, Unavailable, WorkerError
from worker.messaging.bus import is_refusal
from worker.messaging.declaration import MessageType
from worker.messaging.door import admitted
from worker.messaging.limits import key_for
from worker.messaging.stamps import Delay, Sent, Stamp
from worker.messaging.status import CommandStatus
from worker.messaging.waiting import until_over
from worker.raising import behind
from worker.texts import told
from worker.tokens.principal import ANYONE, Principal

if TYPE_CHECKING:
    from worker.wiring.console import Console

INLINE = "inline"


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """How a command is sent; ``delay`` is in seconds."""

    id: str | None = None
    key: str | None = None
    delay: float = 0.0

    def stamps(self) -> list[Stamp]:
        """The options that travel as stamps."""
        return [Delay(self.delay)] if self.delay else []


class CommandFailed(WorkerError):
    """The command was sent and failed, or is not done in the time given."""


async def principal_named(client: Console, token: str | None) -> Principal:
    """Return who sends: the stored token of this name, or the user of the command line.

    Raises:
        NotFound: there is no such token.
        Forbidden: it has expired, or may send nothing.
    """
    if token is None:
        return ANYONE
    found = await client.tokens.named(token)
    if found is None:
        raise NotFound(f"--token {token!r}: no token of this name is stored")
    if found.expires is not None and time.time() >= found.expires:
        raise Forbidden(f"token {token!r} has expired")
    found.require("send")
    return found


async def send_one(
    client: Console, declared: MessageType, message: Any, options: Options, principal: Principal = ANYONE
) -> dict[str, Any]:
    """Send a command and return what ``POST /commands/{type}`` answers.

    Raises:
        Forbidden: the token of ``principal`` may not send it.
        LimitReached: it has sent as much as it may.
        CommandFailed: it was handled at once, and its handler failed.
        Unavailable: a broker or the database does not answer.
    """
    message = admitted(principal, declared, message)
    key = key_for(declared, message, options.key)
    if principal.limits:
        await client.tokens.spend(principal)
    stamps = (*principal.marks, *options.stamps())
    try:
        envelope = await client.command_bus.dispatch(message, *stamps, id=options.id, key=key)
    except Unavailable:
        raise
    except Exception as error:
        if client.route_of(declared) != INLINE or is_refusal(error):
            raise
        raised = behind(error)
        raise CommandFailed(f"{declared.name} failed: {told(raised)}") from error
    status = f"/commands/{envelope.id}" if envelope.get(Sent) is not None else "done"
    return {"id": envelope.id, "type": envelope.type, "status": status}


async def wait_for(
    client: Console, command_id: str, seconds: float, stopping: asyncio.Event
) -> CommandStatus | None:
    """Look at a command's status until it is done or failed, the time is over, or it is to stop; return the last one."""

    async def pause(length: float) -> None:
        """Wait for the next look, or for what ends the waiting."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(length):
                await stopping.wait()

    return await until_over(
        client.status, command_id, seconds, taken=True, stopped=stopping.is_set, pause=pause
    )


@contextlib.contextmanager
def stopped_by_signals() -> Iterator[asyncio.Event]:
    """Set the event on TERM and INT, once each; after that they do what they always do."""
    stopping, loop = asyncio.Event(), asyncio.get_running_loop()
    signals = (signal.SIGTERM, signal.SIGINT)

    def stop() -> None:
        stopping.set()
        for number in signals:
            loop.remove_signal_handler(number)

    for number in signals:
        loop.add_signal_handler(number, stop)
    try:
        yield stopping
    finally:
        for number in signals:
            loop.remove_signal_handler(number)


def require_done(
    status: CommandStatus | None, command_id: str, seconds: float, *, stopped: bool = False
) -> None:
    """Complain about a command that is not done; ``stopped`` says that the waiting was ended by a signal.

    Raises:
        CommandFailed: it failed, or is not done in the time given.
    """
    if status is not None and status.status == "done":
        return
    if status is not None and status.status == "failed":
        reason = f": {status.error.type}: {status.error.message}" if status.error else ""
        raise CommandFailed(f"{status.type} {command_id} failed{reason}")
    shown: str = status.status if status is not None else "not known yet"
    if status is not None and status.paused:
        shown += f"; {status.type} is paused, and goes on after: worker resume {status.type}"
    waited = "yet" if stopped else f"after {seconds:g} s"
    raise CommandFailed(f"{command_id} is not done {waited}: {shown}")
